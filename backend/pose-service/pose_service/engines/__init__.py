"""The pose models, and which of them runs."""
