"""Secrets: where they go, and where they never show themselves."""
