"""What people decide about more than one case, in Slack: buttons on bulletins, their forms, and typed commands."""
