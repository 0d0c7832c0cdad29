"""Whether the rows of the database are what the audit log says: of one verdict before it leaves, and of everything."""
