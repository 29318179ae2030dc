"""How segmenters become ONNX graphs."""
