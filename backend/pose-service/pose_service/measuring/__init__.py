"""From a person's points to posture measures, smoothed over a clip."""
