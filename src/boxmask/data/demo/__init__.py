"""Photos of handwritten digits, generated with exact labels."""

from boxmask.data.demo.make import make_demo

__all__ = ["make_demo"]
