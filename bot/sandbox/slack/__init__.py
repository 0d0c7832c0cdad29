"""Somebody else's Slack: Web API, Socket Mode, interactivity, and its limits."""
