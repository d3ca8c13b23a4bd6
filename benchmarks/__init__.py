"""Measurements of this project against what it replaces; `python -m benchmarks.run` repeats them."""
