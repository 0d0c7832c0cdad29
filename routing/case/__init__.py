"""What a case is: as a service posts it, as the ledger keeps it, what is known of people and facts. Values only."""
