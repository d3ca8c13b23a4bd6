"""4D-Humans on a GPU: everybody in the image with a body model. Written against its sources, never run on a GPU yet."""
