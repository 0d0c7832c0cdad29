"""What is drawn in Slack, from a view to blocks. Pure: no sockets, no database, no clock."""
