"""Large numbers: what grows with an image grows in proportion to it, and memory does not grow."""
