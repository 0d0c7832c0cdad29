"""The demonstration: a sandbox and a bot in one process, cases to look at, and the whole story played without hands."""
