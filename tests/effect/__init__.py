"""Our dialect of `returns`: under cancellation, with bugs in it, and many at once."""
