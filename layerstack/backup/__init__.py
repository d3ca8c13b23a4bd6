"""The data of a running stack in one file, and back from it."""
