"""All models that can be trained, by name."""
