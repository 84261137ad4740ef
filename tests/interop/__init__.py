"""Other people's tools read what we write, and we push what they write."""
