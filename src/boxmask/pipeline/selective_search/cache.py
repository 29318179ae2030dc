"""Selective Search's boxes on disk, so that a photo is searched once for all trainings and evaluations.

A file's name follows from the photo's bytes and the numbers of the search: another photo under the same
name, or other numbers, is another file. Files are written whole or not at all, so that processes may share
a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from boxmask.atomic_write import atomic_write
from boxmask.errors import UsageError
from boxmask.photos.read import load_photo, photo_errors
from boxmask.pipeline.selective_search.search import SelectiveSearchConfig, selective_search

VERSION = 2  # of the search: counted up when the same photo and numbers would give other boxes


def default_folder() -> Path:
    """`BOXMASK_CACHE`, or the system's folder for what can be made again."""
    if given := os.environ.get("BOXMASK_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "boxmask"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "boxmask"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "boxmask"


class ProposalCache:
    """Boxes of photos by `config`, from the folder or, the first time, from the search."""

    def __init__(self, config: SelectiveSearchConfig, folder: Path | None = None) -> None:
        self.config = config
        self.folder = (folder or default_folder()) / "proposals"

    def boxes(self, photo: Path) -> Tensor:
        """(N, 4) float32 xyxy in pixels of the photo, likeliest first.

        Raises PhotoError, and UsageError where the folder cannot be written.
        """
        path = self.path(photo)
        try:
            return torch.from_numpy(np.load(path, allow_pickle=False))
        except (OSError, EOFError, ValueError):  # not there yet, or not what was written: made (anew)
            boxes = selective_search(load_photo(photo), self.config)
        try:
            with atomic_write(path) as partial, partial.open("wb") as file:
                np.save(file, boxes.numpy(), allow_pickle=False)
        except OSError as error:
            remedy = "Set BOXMASK_CACHE to a folder that can be written."
            raise UsageError(f"{self.folder}: proposals cannot be kept here ({error}). {remedy}") from error
        return boxes

    def path(self, photo: Path) -> Path:
        """Where the boxes of a photo are kept. Raises PhotoError where it cannot be read."""
        with photo_errors(photo):
            digest = hashlib.sha256(photo.read_bytes())
        digest.update(json.dumps([VERSION, asdict(self.config)], sort_keys=True).encode())
        name = digest.hexdigest()[:32]
        return self.folder / name[:2] / f"{name}.npy"
