"""The test kit is the judge of everything else, so it is tested by readers that share no code with it."""
