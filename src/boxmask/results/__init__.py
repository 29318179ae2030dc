"""Writing what was found to files."""
