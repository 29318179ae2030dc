"""The photo of each LabelMe file.

LabelMe opens the photo that imagePath names, so that counts. The label file's own name is only used if that
photo does not exist, or if another label file names it, too, as after copying a label file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import NAME_INEXACT, PHOTO_AMBIGUOUS, PHOTO_LISTED_TWICE
from boxmask.data.formats.labelme.file import LabelmeFile
from boxmask.data.formats.photo_finder import PhotoFinder, check_spelling
from boxmask.errors import LabelError
from boxmask.names import Match


@dataclass(slots=True)
class _Candidates:
    """The photos that a label file may belong to, if they exist.

    named:    the photo in imagePath
    namesake: the photo with the label file's own name
    """

    named: Match | None
    namesake: Match | None


def find_labelme_photos(
    files: Sequence[LabelmeFile], finder: PhotoFinder, root: Path, findings: Findings
) -> list[str | None]:
    """The photo of each label file, None if it does not exist.

    Names that may mean several photos, inexact names and photos with several label files become findings.
    """
    candidates = [_candidates(file, finder, root, findings) for file in files]
    claims = Counter(found.named.file for found in candidates if found.named)
    photos: list[str | None] = []
    for file, found in zip(files, candidates, strict=True):
        match = _choose(found, claims)
        if match is not None:
            _note_inexact(file, match, root, findings)
        photos.append(match.file if match else None)
    _report_shared(files, photos, root, findings)
    return photos


def _candidates(file: LabelmeFile, finder: PhotoFinder, root: Path, findings: Findings) -> _Candidates:
    """Look up imagePath first. The own name is looked up in any case, because copies are only seen by it."""
    named = namesake = error = None
    if file.image_path.strip():
        try:
            named = finder.find_in_folders_of(file.image_path, file.file)
        except LabelError as ambiguous:
            error = ambiguous
    try:
        namesake = finder.find_namesake(file.file)
    except LabelError as ambiguous:
        error = error or ambiguous
    if error is not None and named is None and namesake is None:
        findings.add(Finding(PHOTO_AMBIGUOUS, Location(str(root / file.file)), error.reason))
    return _Candidates(named, namesake)


def _choose(found: _Candidates, claims: Counter[str]) -> Match | None:
    named, namesake = found.named, found.namesake
    if named is None or namesake is None or named.file == namesake.file:
        return named or namesake
    return namesake if claims[named.file] > 1 and claims[namesake.file] == 0 else named


def _note_inexact(file: LabelmeFile, match: Match, root: Path, findings: Findings) -> None:
    name = file.image_path
    location = Location(str(root / file.file))
    if match.differences:
        check_spelling(name or file.file, match, location, findings)
    elif name.strip() and Path(match.file).name != name.replace("\\", "/").rpartition("/")[2]:
        detail = f"{name} is not used; the photo with the label file's own name is {match.file}"
        findings.add(Finding(NAME_INEXACT, location, detail, match.file))


def _report_shared(
    files: Sequence[LabelmeFile], photos: Sequence[str | None], root: Path, findings: Findings
) -> None:
    claims: dict[str, list[str]] = defaultdict(list)
    for file, photo in zip(files, photos, strict=True):
        if photo is not None:
            claims[photo].append(file.file)
    for photo, shared in claims.items():
        for other in shared[1:]:
            detail = f"{photo}, also in {shared[0]}"
            findings.add(
                Finding(PHOTO_LISTED_TWICE, Location(str(root / other)), detail, photo, related=(shared[0],))
            )
