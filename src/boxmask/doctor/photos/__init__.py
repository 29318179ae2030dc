"""Checks of photos: quality, copies, and groups across splits."""
