"""Artifacts: files pushed, pulled, attached and detached."""
