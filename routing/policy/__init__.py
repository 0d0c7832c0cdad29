"""What the policy file may say, and what it means once it is loaded."""
