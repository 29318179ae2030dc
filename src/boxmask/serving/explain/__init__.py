"""`POST /v1/explain`: a photo's way through a model, in layers that a page draws over the photo."""
