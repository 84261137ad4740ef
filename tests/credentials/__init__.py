"""Credentials: found where every other tool finds them, kept where it keeps them, and shown nowhere."""
