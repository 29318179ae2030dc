"""Compare several models on the same photos: train, evaluate and measure them with the same settings."""
