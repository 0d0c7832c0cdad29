"""Commands that write: carried out by the running bot, or beside it on PostgreSQL."""
