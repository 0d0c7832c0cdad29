"""Cases about a case: near-duplicates, sampled checks, roll backs, and what their end means for the other."""
