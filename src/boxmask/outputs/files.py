"""Write, replace and remove outputs: files that boxmask wrote, and no others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from boxmask.atomic_write import atomic_write, output_error
from boxmask.errors import UsageError
from boxmask.messages import format_count
from boxmask.outputs.manifest import manifest_of
from boxmask.outputs.marks import is_marked

MAX_NAMED = 5  # files in a message


@contextmanager
def write_output(path: Path) -> Iterator[Path]:
    """Write a result as `atomic_write` does, and record it in the manifest of its folder.

    Raises UsageError if `path` is a file that boxmask did not write or that was changed since. Raises
    OutputError as `atomic_write` does.
    """
    check_replaceable([path])
    with atomic_write(path) as temporary:
        yield temporary
        manifest_of(path.parent).add(path.name, temporary)


def check_replaceable(files: Iterable[Path]) -> None:
    """Raise UsageError if any of the files exists and is not an unchanged output."""
    foreign = [str(file) for file in files if os.path.lexists(file) and not is_unchanged_output(file)]
    if len(foreign) == 1:
        raise UsageError(
            f"{foreign[0]}: is not replaced, because boxmask did not write it or it was changed since. "
            "Choose another name or folder, or move the file away."
        )
    if foreign:
        raise UsageError(
            f"These {len(foreign):,} files are not replaced, because boxmask did not write them or they were "
            f"changed since: {_first_names(foreign)}. Choose another folder, or move the files away."
        )


def is_unchanged_output(file: Path, *, trust_time: bool = False) -> bool:
    """Whether boxmask wrote this file and it was not changed since, by the manifest of its folder.

    trust_time: accept a file of the recorded size and modification time without reading it
    """
    return manifest_of(file.parent).has(file, trust_time=trust_time)


def is_output(file: Path) -> bool:
    """Whether boxmask wrote this file, by the manifest of its folder or by the mark inside the file."""
    return manifest_of(file.parent).has(file, trust_time=True) or is_marked(file)


def split_outputs(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files that boxmask did not write, and those that it wrote."""
    others: list[Path] = []
    outputs: list[Path] = []
    has_manifest: dict[str, bool] = {}  # asking a manifest for each of many files is slow
    for file in files:
        folder = os.path.dirname(file)  # noqa: PTH120
        if folder not in has_manifest:
            has_manifest[folder] = manifest_of(Path(folder)).exists()
        is_one = is_output if has_manifest[folder] else is_marked
        (outputs if is_one(file) else others).append(file)
    return others, outputs


def remove_outputs(files: Iterable[Path]) -> None:
    """Remove the unchanged outputs among the files."""
    for file in files:
        if is_unchanged_output(file):
            file.unlink()


def note_on_outputs(files: Sequence[Path]) -> tuple[str, ...]:
    """A note that these outputs are neither photos nor labels; no note if there are none."""
    if not files:
        return ()
    return (f"left out: {format_count(len(files), 'file')} that boxmask wrote, for example {files[0]}",)


def begin_job(
    folder: Path, files: Sequence[Path], inputs: Iterable[Path] = (), complete: Sequence[Path] = ()
) -> tuple[str, ...]:
    """Prepare a folder for a job that writes `files` into it or its subfolders; returns notes.

    The files of earlier jobs in this folder are removed, so that none stays beside the new results. Files
    that were changed since stay, and so do `inputs`, the photos that the job reads, and `complete`, the files
    that an interrupted job has written and this one keeps.

    Raises UsageError, before anything is removed, if one of the files may not be replaced. Raises OutputError
    if the folder is not writable.
    """
    check_replaceable(files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    manifest, new = manifest_of(folder), _relative_names(folder, [*files, *complete])
    kept_files = {path.resolve() for path in (*inputs, *complete)}
    removed, changed = _remove_files(folder, manifest.files_of_jobs(), kept_files)
    manifest.begin_job(sorted(new))
    stale, kept = sorted(set(removed) - new), sorted(set(changed) - new)
    notes = []
    if stale:
        notes.append(f"{folder}: removed {_outputs(stale)} of an earlier call: {_first_names(stale)}")
    if kept:
        notes.append(
            f"{folder}: kept {_outputs(kept)} of an earlier call, changed since: {_first_names(kept)}"
        )
    return tuple(notes)


def add_to_job(folder: Path, files: Sequence[Path]) -> None:
    """Record that the job that `begin_job` began is about to write these files, too."""
    if files:
        manifest_of(folder).add_to_job(sorted(_relative_names(folder, files)))


def _relative_names(folder: Path, files: Iterable[Path]) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in files}


def _remove_files(folder: Path, names: Iterable[str], keep: set[Path]) -> tuple[list[str], list[str]]:
    """Remove the unchanged outputs among the files; returns the names of removed and of changed files."""
    removed, changed = [], []
    for name in sorted(names):
        file = folder / name
        if not file.is_file() or file.resolve() in keep:
            continue
        manifest = manifest_of(file.parent)
        if manifest.has(file):
            try:
                file.unlink()
            except OSError as error:
                raise output_error(file, error) from error
            removed.append(name)
        elif manifest.knows(file.name):
            changed.append(name)
    return removed, changed


def _outputs(names: Sequence[str]) -> str:
    return format_count(len(names), "output")


def _first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
