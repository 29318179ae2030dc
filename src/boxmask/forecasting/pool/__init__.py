"""Which unlabeled photos to label next."""
