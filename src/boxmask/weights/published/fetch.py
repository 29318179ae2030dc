"""Fetch published weights by name: the one function for whoever needs their file."""

from __future__ import annotations

from pathlib import Path

from boxmask.weights.download.fetch import fetch
from boxmask.weights.published.manifest import BUNDLED, TIMM, find_weights


def fetch_weights(name: str) -> Path:
    """The file of published weights, downloaded unless it is on this machine or installed with boxmask.

    name: of an entry of the manifest, or timm/BACKBONE for any backbone of timm

    Raises WeightsError and OutputError as `download.fetch` does, and UsageError for an unknown backbone.
    """
    if name == f"{TIMM}{BUNDLED}":
        from boxmask.weights.imagenet import bundled_file

        return bundled_file()
    if name.startswith(TIMM):  # the file that --backbone reads, which may lie in the cache of timm's hub
        from boxmask.weights.timm_hub import timm_file

        return timm_file(name.removeprefix(TIMM))
    return fetch(find_weights(name).file)
