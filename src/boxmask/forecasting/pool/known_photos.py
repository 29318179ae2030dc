"""What is known about photos that the models have been asked about, kept in a file, one line per photo."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from boxmask.atomic_write import output_error
from boxmask.weights.checkpoint import checkpoint_path


@dataclass(frozen=True)
class KnownPhoto:
    """A photo that the models have been asked about.

    disagreement: of the models, 0 to 1
    features:     of the backbone of the first model, with length 1
    """

    disagreement: float
    features: Float[np.ndarray, " C"]


class KnownPhotos:
    """Photos that have been asked about. A photo or a model that changes is asked about again."""

    def __init__(self, file: Path, runs: Sequence[Path]) -> None:
        self._file = file
        self._models = [_stamp(checkpoint_path(run)) for run in runs]
        self._known: dict[str, KnownPhoto] = {}
        for line in file.read_bytes().splitlines() if file.is_file() else ():
            self._read(line)

    def find(self, photo: Path, with_results: bool) -> KnownPhoto | None:
        """What is known about a photo.

        with_results: whether the disagreement is needed
        """
        return self._known.get(self._key(photo, with_results))

    def add(self, photo: Path, about: KnownPhoto, with_results: bool) -> None:
        """Keep what is known about a photo. Raises OutputError if the file cannot be written."""
        key = self._key(photo, with_results)
        features = base64.b64encode(about.features.astype("<f4").tobytes()).decode("ascii")
        line = json.dumps({"key": key, "disagreement": about.disagreement, "features": features})
        try:
            with self._file.open("a", encoding="ascii") as file:
                file.write(f"\n{line}\n")  # after a line that a kill has cut
        except OSError as error:
            raise output_error(self._file, error) from error
        self._known[key] = about

    def _key(self, photo: Path, with_results: bool) -> str:
        return json.dumps([str(photo), *_stamp(photo), with_results, self._models])

    def _read(self, line: bytes) -> None:
        """Take one line. A line that is damaged is passed over: its photo is asked about again."""
        try:
            entry = json.loads(line)
            features = np.frombuffer(base64.b64decode(entry["features"], validate=True), dtype="<f4")
            self._known[str(entry["key"])] = KnownPhoto(float(entry["disagreement"]), features)
        except (ValueError, KeyError, TypeError, RecursionError):
            return


def _stamp(file: Path) -> tuple[int, int]:
    """Size and time of the last change; zeros if there is no such file."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
