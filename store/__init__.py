"""Store remembers: the database, the ledger, the audit log, the vault, the outbox, reads."""
