"""Run a trained model on photos, and write pictures and files of the results."""
