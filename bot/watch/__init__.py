"""A second process watches the first from outside, and pages by itself when nobody can rely on it."""
