"""What a policy would do: explained for one case, replayed on many, tried on its own examples, asked before anything is generated."""
