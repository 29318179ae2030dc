"""The sections of `python benchmarks/gpu.py`."""
