"""Routing decides: policy, routes, verbs, authorization. No sockets, no database, no clock, no environment, no randomness."""
