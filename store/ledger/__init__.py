"""What is written: the one write path for cases, leaves, answers and what is to be sent."""
