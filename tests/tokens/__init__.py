"""Tokens: asked for once, used while they live, replaced before they end, and shown to nobody else."""
