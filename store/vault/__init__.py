"""Content, encrypted under a key of its case, and how it is erased."""
