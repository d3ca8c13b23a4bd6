"""Parts of a build and of a timed rebuild: the stream, its steps, what differs, what is left behind."""
