"""Photos that belong together, such as the frames of one video, and must not be on two sides of a split."""
