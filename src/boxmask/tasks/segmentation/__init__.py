"""The class of every pixel."""
