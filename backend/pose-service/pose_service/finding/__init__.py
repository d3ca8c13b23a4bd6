"""Everybody in one picture."""
