"""Containers on their way up, as they run, and whether they run what is here."""
