"""Back up the data of a running stack into one file, and restore it."""
