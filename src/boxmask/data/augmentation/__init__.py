"""Random changes to training photos and their labels."""
