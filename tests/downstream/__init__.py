"""Three projects of strangers: the library is installed from its wheel, and used as its users use it."""
