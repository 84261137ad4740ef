"""Formats: the two families, other digests, and every byte that is nobody's business to change."""
