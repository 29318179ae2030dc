"""Flags of `boxmask check` that need or exclude others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flags:
    """Flags as given; None if a flag was not given."""

    run: Path | None
    labels_only: bool
    classes: tuple[str, ...] | None
    write_split: Path | None
    group_by: str | None
    seed: int | None
    fix: bool
    out: Path | None
    photos: str | None
    device: str | None


def check_flags(flags: Flags) -> None:
    """Raise UsageError for flags that would be ignored, and for flags that exclude each other."""
    from boxmask.errors import UsageError

    for is_wrong, message in (*_split_rules(flags), *_fix_rules(flags)):
        if is_wrong:
            raise UsageError(message)
    if flags.device is not None and flags.run is None:
        raise UsageError("--device is for a trained model. Give its RUN, or leave --device out.")


def _split_rules(flags: Flags) -> list[tuple[bool, str]]:
    """Whether a rule is broken, and its message."""
    write_split = flags.write_split is not None
    need = "give the split file to write with --write-split FILE."
    return [
        (write_split and flags.labels_only, "--write-split needs the photos. Leave out --labels-only."),
        (flags.group_by is not None and not write_split, f"--group-by: {need}"),
        (flags.seed is not None and not write_split, f"--seed: {need}"),
    ]


def _fix_rules(flags: Flags) -> list[tuple[bool, str]]:
    """Whether a rule is broken, and its message."""
    fix = flags.fix
    return [
        (fix and flags.labels_only, "--fix needs the photos. Leave out --labels-only."),
        (
            fix and flags.classes is not None,
            "--fix keeps all classes. Leave out --classes, or choose classes with boxmask convert --classes.",
        ),
        (fix and flags.out is None, "--fix: give the folder for the mended copy with --out DIR."),
        (
            flags.out is not None and not fix,
            "--out is the folder for the mended copy. Add --fix, or leave it out.",
        ),
        (
            flags.photos is not None and not fix,
            "--photos is for the mended copy. Add --fix, or leave it out.",
        ),
    ]
