"""Cards, what Docker can give of them, and who uses how much."""
