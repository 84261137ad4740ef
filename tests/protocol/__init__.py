"""The wire as pure functions: every request, every answer, and whatever a server may send instead."""
