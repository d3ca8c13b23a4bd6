"""What every room speaks of: a person, a region of an image, an engine, a job."""
