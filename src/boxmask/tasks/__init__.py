"""What training, evaluation and prediction do for each kind of labels."""
