"""Mistakes that must not type-check: each wrong line says which error it is, in mypy and in pyright."""
