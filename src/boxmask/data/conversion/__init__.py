"""Convert labels from any format to any other, with their photos."""
