"""Build, start, verify and explain a stack of containers with BuildKit and Compose."""

__version__ = "0.1.0"
