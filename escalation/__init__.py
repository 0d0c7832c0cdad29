"""Escalation watches the clock: what is due, breakers and brakes, PagerDuty out and in, who is on call."""
