"""Where the time of a build goes, and how long the next one takes."""
