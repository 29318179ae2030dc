"""Copies of photos: exact ones by the bytes of their files, others by likeness; across splits first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.groups.components import members_of_groups, number_in_order
from boxmask.data.groups.copies import Copies
from boxmask.data.groups.identical_files import PHOTO_COPIES
from boxmask.data.photo_records.records import PhotoRecords
from boxmask.doctor.photos import kinds
from boxmask.messages import format_count

_MAX_SHOWN = 5
_MAX_RELATED = 100


def check_copies(records: PhotoRecords, copies: Copies, splits: NDArray[np.str_], findings: Findings) -> None:
    """Add a finding for each group of copies of one photo."""
    exact = np.where(copies.exact >= 0, copies.exact, -1 - np.arange(len(records)))
    for photos in members_of_groups(number_in_order(exact)):
        kind = kinds.COPIES_ACROSS_SPLITS if is_across(splits[photos]) else PHOTO_COPIES
        add_group_finding(records, findings, kind, photos, splits, "the same bytes")
    for photos in members_of_groups(copies.turned):
        if len(np.unique(exact[photos])) == 1:
            continue
        across = is_across(splits[photos])
        kind = kinds.NEAR_COPIES_ACROSS_SPLITS if across else kinds.PHOTO_NEAR_COPIES
        turned = len(np.unique(copies.upright[photos])) > 1
        add_group_finding(records, findings, kind, photos, splits, "flipped or rotated" if turned else "")


def is_across(splits: NDArray[np.str_]) -> bool:
    """Whether photos are in several splits. Photos in no split are in none."""
    return len(set(splits.tolist()) - {""}) > 1


def add_group_finding(
    records: PhotoRecords,
    findings: Findings,
    kind: Kind,
    photos: Int[np.ndarray, " M"],
    splits: NDArray[np.str_],
    reason: str,
) -> None:
    """Add one finding for a group of photos, with its members per split."""
    files = [records.files[photo] for photo in photos.tolist()]
    members: dict[str, list[str]] = {}
    for file, split in zip(files, splits[photos].tolist(), strict=True):
        members.setdefault(split, []).append(file)
    parts = [f"{split}: {_shown(names)}" if split else _shown(names) for split, names in members.items()]
    count = format_count(len(files), "photo")
    detail = f"{count}{f' ({reason})' if reason else ''}: {'; '.join(parts)}"
    location = Location(str(records.root / files[0]))
    findings.add(Finding(kind, location, detail, files[0], related=tuple(files[1 : _MAX_RELATED + 1])))


def _shown(names: list[str]) -> str:
    rest = len(names) - _MAX_SHOWN
    return ", ".join([*names[:_MAX_SHOWN], *([f"{rest:,} more"] if rest > 0 else [])])
