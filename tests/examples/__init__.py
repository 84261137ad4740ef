"""Complete small programs that use the library, as its users would write them; `tests/docs` runs them."""
