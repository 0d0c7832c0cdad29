"""Modals: what they ask, what they show, and what was typed into them."""
