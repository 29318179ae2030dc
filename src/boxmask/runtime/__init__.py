"""Run exported models with ONNX Runtime, numpy and Pillow; torch is not needed."""
