"""Selective Search's boxes on disk, so that each photo is searched once for all trainings and evaluations.

A file's name is a hash of the photo's bytes and the settings of the search, so that a changed photo or other
settings use another file. Files are written atomically, so that processes can share a folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from boxmask.cache_folder import cache_folder
from boxmask.errors import OutputError, UsageError
from boxmask.photos.errors import photo_errors
from boxmask.photos.read import load_photo
from boxmask.pipeline.selective_search.search import SelectiveSearchConfig, selective_search
from boxmask.pipeline.stored_boxes import read_boxes, write_boxes

VERSION = 2  # of Selective Search; increase it when the same photo and settings give other boxes


class ProposalCache:
    """Boxes of photos with the settings `config`, from disk or, the first time, from the search."""

    def __init__(self, config: SelectiveSearchConfig, folder: Path | None = None) -> None:
        self.config = config
        self.folder = (folder or cache_folder()) / "proposals"

    def boxes(self, photo: Path) -> Tensor:
        """(N, 4) float32 xyxy in pixels of the photo, most promising first.

        Raises PhotoError, and UsageError if the folder is not writable.
        """
        path = self.path(photo)
        try:
            return read_boxes(path)
        except (OSError, ValueError):  # missing or damaged: search
            boxes = selective_search(load_photo(photo), self.config)
        try:
            write_boxes(path, boxes)
        except OutputError as error:
            remedy = "Set BOXMASK_CACHE to a writable folder."
            raise UsageError(f"{self.folder}: proposals cannot be saved here ({error}). {remedy}") from error
        return boxes

    def path(self, photo: Path) -> Path:
        """The file for the boxes of a photo. Raises PhotoError if the photo cannot be read."""
        with photo_errors(photo):
            digest = hashlib.sha256(photo.read_bytes())
        digest.update(json.dumps([VERSION, asdict(self.config)], sort_keys=True).encode())
        name = digest.hexdigest()[:32]
        return self.folder / name[:2] / f"{name}.npy"
