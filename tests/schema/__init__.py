"""The published schema of the JSON that commands write."""
