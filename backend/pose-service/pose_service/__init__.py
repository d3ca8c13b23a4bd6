"""A Flask service that finds people in a photo and measures their posture."""
