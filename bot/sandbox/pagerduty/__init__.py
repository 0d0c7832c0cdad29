"""Somebody else's PagerDuty: events in, incidents, webhooks out, REST."""
