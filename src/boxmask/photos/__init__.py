"""Find photos, and read them as upright RGB from paths, PIL images, arrays and tensors."""
