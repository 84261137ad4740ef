"""The doctor: every finding is true, and every registry is left as it was."""
