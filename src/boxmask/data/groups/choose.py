"""Choose the splits of a data set: those of a file, those of an earlier training, its own, or new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from boxmask.data.common_photos import find_common_photos
from boxmask.data.contract import SPLITS, SplitDatasetT
from boxmask.data.groups.growth import EarlierSplit, grow_splits
from boxmask.data.groups.split import draw_grouped_splits
from boxmask.data.split_file import apply_split_file
from boxmask.options import option
from boxmask.progress import Progress


def choose_splits(
    dataset: SplitDatasetT,
    split_seed: int | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    on_bad_photos: Literal["error", "skip"] = "error",
    earlier: Sequence[EarlierSplit] = (),
    progress: Progress | None = None,
) -> SplitDatasetT:
    """Give each photo of a data set its split.

    The splits are those of `split_file`. Without one, they are those of the first of the earlier splits that
    was drawn for this data set, else they are drawn. Splits of the data set's own stay, unless the earlier
    split was drawn in their place, with `group_by`, or the user chose its file.

    split_seed:    for drawing; if given, earlier splits are not kept
    group_by:      see `draw_grouped_splits`; if it is not that of an earlier split, this is not kept
    on_bad_photos: see `apply_split_file`
    progress:      called while photos are examined for `group_by`

    Raises LabelError as `apply_split_file` does, and UsageError as `draw_grouped_splits` does.
    """
    if split_file:
        return apply_split_file(dataset, split_file, on_bad_photos)
    notes: tuple[str, ...] = ()
    keeps_own = group_by is None and all(split in dataset.splits for split in SPLITS)
    for candidate in earlier:
        can_grow = not keeps_own or candidate.draw.group_by is not None
        common = find_common_photos(dataset, candidate.file) if can_grow else None
        if common is None or not common.is_data_set_of_run(candidate.read_from_here):
            if candidate.is_chosen:
                return apply_split_file(dataset, candidate.file.path, on_bad_photos)
            continue
        reason = _why_not_kept(candidate, split_seed, group_by)
        if not reason:
            return grow_splits(dataset, candidate, common, progress)
        notes = (f"the split of {candidate.origin} is not kept: {reason}",)
        break
    drawn = draw_grouped_splits(dataset, split_seed or 0, group_by, progress)
    return replace(drawn, notes=notes + drawn.notes)


def _why_not_kept(earlier: EarlierSplit, split_seed: int | None, group_by: str | None) -> str:
    """Why a new split is drawn in place of an earlier one; "" if it is kept."""
    if earlier.is_chosen:
        return ""
    if split_seed is not None:
        return f"{option('split_seed')} was given"
    if group_by is None or group_by == earlier.draw.group_by:
        return ""
    if earlier.draw.group_by is None:
        return f"it was drawn without {option('group_by')}"
    return f"it was drawn with {option('group_by', earlier.draw.group_by)}"
