"""The forecast as one HTML page."""
