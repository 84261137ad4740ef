"""Our dialect of `returns`: how an operation is made, run, joined, repeated, bounded and cleaned up after.

The law of this layer: everything is typed for mypy strict and pyright without a plugin, nothing here knows what a
registry is beyond `RegistryError`, `CancelledError` always passes through, and a bug stays an exception.
"""
