"""What is asked of the database: cases, queues, history, receipts, the figures of breakers."""
