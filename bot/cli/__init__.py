"""The command line: one file a command; what only commands need stands in the wings below."""
