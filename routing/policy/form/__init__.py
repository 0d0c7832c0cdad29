"""The form of the policy file: every key, its default and its meaning."""
