"""What is inside an image, read without starting it."""
