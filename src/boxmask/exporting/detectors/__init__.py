"""One file per detector: how its stages are put together in an ONNX graph."""
