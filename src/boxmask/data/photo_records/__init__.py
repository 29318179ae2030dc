"""What a pass over the pixels of all photos finds out about each."""
