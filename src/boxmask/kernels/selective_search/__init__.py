"""Compiled loops of Selective Search."""
