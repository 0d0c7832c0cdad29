"""What services and operators ask over HTTP: cases and follow-ups in, answers out, health and metrics."""
