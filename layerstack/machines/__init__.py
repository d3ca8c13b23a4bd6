"""An engine and system images for a machine that has neither."""
