"""What is to be sent, who may send it next, and what became of it."""
