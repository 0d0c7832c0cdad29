"""One database, either SQLite or PostgreSQL."""
