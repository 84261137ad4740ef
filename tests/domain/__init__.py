"""Pure values: what is accepted, what is refused, and that nothing is lost on the way."""
