"""The parts of a card, one file each, from the headline to the buttons."""
