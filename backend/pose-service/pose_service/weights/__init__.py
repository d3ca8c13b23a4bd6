"""Model files that no image may hold: what is needed for what, where it comes from, and whether it is the right one."""
