"""Benchmarks: `python -m tests.bench` prints a table; nothing here fails because a machine is slow."""
