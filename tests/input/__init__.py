"""Bad input: the named reason, before any request, in bounded memory, and nothing stored."""
