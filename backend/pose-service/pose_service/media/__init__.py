"""Uploaded bytes to upright pictures, within limits."""
