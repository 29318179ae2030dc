"""Selective Search (Uijlings et al. 2013): object proposals without training."""

from boxmask.pipeline.selective_search.search import selective_search

__all__ = ["selective_search"]
