"""Somebody else's Slack, PagerDuty and service, as real HTTP servers on loopback.

Used by tests, the demonstration and developers alike. Imports nothing of this project: it is held to what those vendors publish,
never to what our bot happens to send.
"""
