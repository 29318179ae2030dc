"""Several models, or several views of a photo, fused to one result."""
