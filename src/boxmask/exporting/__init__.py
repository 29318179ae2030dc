"""Write trained models as ONNX files: one graph from a photo's pixels to the objects in it."""
