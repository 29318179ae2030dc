"""Quantization of exported files to 8 bits."""
