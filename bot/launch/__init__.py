"""The launch checklist: whether everything that Tierline stands on is there, asked from outside of a running bot."""
