"""From labelled photos and a recipe to a run."""
