"""All that can be trained, by name."""
