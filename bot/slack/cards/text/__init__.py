"""Words, blocks and outside text made safe: what every drawing is made of."""
