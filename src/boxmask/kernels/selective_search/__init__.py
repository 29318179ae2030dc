"""The compiled loops of Selective Search."""
