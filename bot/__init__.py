"""Bot talks: the edges (HTTP, Slack, callbacks, command line), the sandbox, and the one composition root."""
