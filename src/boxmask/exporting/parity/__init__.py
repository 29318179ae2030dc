"""Check that an exported file gives the results of the model that it was made from."""
