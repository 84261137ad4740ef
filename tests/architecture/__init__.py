"""The architecture as tests: who may import whom, what is public, and what things are called."""
