"""Compare labels with the results of a trained model: labels that are missing, wrong or badly placed."""
