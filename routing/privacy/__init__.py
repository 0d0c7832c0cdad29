"""What is masked before people see a case, and how it is found."""
