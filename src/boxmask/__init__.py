"""boxmask finds things in photos: boxes, outlines, and the class of every pixel."""

__version__ = "0.1.0"
