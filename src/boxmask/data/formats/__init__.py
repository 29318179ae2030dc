"""Label formats, one per module."""
