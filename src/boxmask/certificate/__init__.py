"""The certificate of an exported file: one page that says how far its results are from the model's."""
