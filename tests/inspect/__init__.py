"""Looking inside: images, layers, files, and what belongs to them."""
