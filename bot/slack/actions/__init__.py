"""What people do in Slack and what they get back: presses and forms, each recorded before it is acknowledged."""
