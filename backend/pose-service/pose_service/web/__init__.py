"""HTTP: requests in, JSON and pictures out."""
