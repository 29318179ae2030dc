"""A photo's way through a model, stage by stage, in pictures, words and numbers."""
