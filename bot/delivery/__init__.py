"""What goes out: the courier that empties the outbox, how fast and how often it tries, and the callbacks to services."""
