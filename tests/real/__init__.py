"""Real third-party components, fetched by the test set-up and run without root."""
