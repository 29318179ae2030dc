"""Training: from labeled photos and a recipe to a run."""
