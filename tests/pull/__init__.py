"""What is pulled is on disk complete and proven, or not there at all."""
