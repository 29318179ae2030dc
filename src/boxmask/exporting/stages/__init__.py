"""The stages of the detectors as parts of an ONNX graph, each beside its namesake in `pipeline`."""
