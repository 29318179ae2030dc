"""Using a trained model on photos: drawing what it found, and saving it."""
