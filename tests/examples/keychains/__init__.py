"""Keychains for the registries of four clouds, each in one file that can be copied."""
