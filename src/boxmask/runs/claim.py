"""The claim to a run: one process at a time writes into its folder.

A new folder is claimed by creating it. A lock of the operating system then guards it, so that the claim of a
process ends with the process, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from boxmask.atomic_write import atomic_write, output_error, remove_partial_files
from boxmask.errors import OutputError, UsageError
from boxmask.runs.run import ANCESTORS, NOTES, SPLIT, Run

LOCK = ".lock"  # the file that the lock is on; empty
OWNER = ".owner"  # who holds the lock, as JSON
BEFORE_RECIPE = {LOCK, OWNER, SPLIT, ANCESTORS, NOTES}  # the files of a run without a recipe
WAIT_SECONDS = 3.0  # for the worker processes of a killed training: they hold its lock until they end
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # some network file systems

_claims: list[Claim] = []  # those of this process, for `abandon_claims`


class Claim:
    """A run that only this process writes to, once it is locked.

    new_folders: the folders that were created for the run, its own first; empty if the run existed before
    lock:        None until the run is locked, and on a file system without locks
    kept:        whether the run stays when its training fails
    """

    def __init__(self, run: Run, new_folders: tuple[Path, ...]) -> None:
        self.run = run
        self.new_folders = new_folders
        self.lock: FileLock | None = None
        self.is_locked = False
        self.kept = not new_folders
        _claims.append(self)

    def acquire(self, wait_seconds: float) -> None:
        """Lock the run. Raises UsageError if another process holds it."""
        self.lock = _lock(self.run.path, wait_seconds)
        self.is_locked = True

    def keep(self) -> None:
        """Keep the run, even if its training fails."""
        self.kept = True

    def release(self) -> None:
        """Unlock the run. If it is not kept, remove its files and the folders created for it."""
        if self in _claims:
            _claims.remove(self)
        if self.is_locked and not self.kept:
            self.run.remove_files()
        if self.is_locked:  # before the lock is released: nobody may lock a removed file
            _unlink(self.run.path / OWNER)
            _unlink(self.run.path / LOCK)
        self._remove_folders()
        if self.lock is not None:
            self.lock.release()
        if os.name == "nt" and self.is_locked:  # Windows does not remove open files
            _unlink(self.run.path / LOCK)
            self._remove_folders()

    def _remove_folders(self) -> None:
        if self.kept:
            return
        for folder in self.new_folders:
            with contextlib.suppress(OSError):  # not empty: somebody else has put a file there
                folder.rmdir()


@contextmanager
def claim_folder(out: Path | None, model: str) -> Iterator[Claim]:
    """Claim the folder `out` for a new run, or the next free runs/<model>-<number>.

    The folder is removed if the block raises and has not called `keep`. A training that is killed before its
    first step leaves a folder without a recipe. Such a folder can be claimed again.

    Raises UsageError if `out` exists, and OutputError if it cannot be written.
    """
    with _released_at_end(_claim_new(out) if out is not None else _claim_number(model)) as claim:
        yield claim


@contextmanager
def claim_run(run: Run) -> Iterator[Claim]:
    """Claim a run that exists. Raises UsageError if another process trains it."""
    with _released_at_end(Claim(run, ())) as claim:
        claim.acquire(WAIT_SECONDS)
        _write_owner(run.path)
        yield claim


def abandon_claims() -> None:
    """Release all claims of this process, which is about to end."""
    for claim in list(_claims):
        with contextlib.suppress(OSError):
            claim.release()


@contextmanager
def _released_at_end(claim: Claim) -> Iterator[Claim]:
    try:
        yield claim
        claim.keep()
    finally:
        claim.release()


# ---------------------------------------------------------------- new folders


class _TakenError(UsageError):
    """The folder belongs to another run or process."""


def _claim_number(model: str) -> Claim:
    number = 1
    while True:
        try:
            return _claim_new(Path("runs") / f"{model}-{number}", wait=False)
        except _TakenError:
            number += 1


def _claim_new(folder: Path, *, wait: bool = True) -> Claim:
    """Create and lock a folder. Raises _TakenError if it exists.

    wait: whether to wait for the workers of a killed training
    """
    new_folders = _make_folder(folder)
    if not new_folders and not _is_abandoned(folder):
        raise _TakenError(f"{folder}: already exists. Continue it with --resume, or give another --out.")
    claim = Claim(Run(folder), new_folders or (folder,))
    try:
        claim.acquire(WAIT_SECONDS if wait else 0.0)
        if not _holds_nothing_trained(folder):
            raise _TakenError(f"{folder}: another process has just trained here. Give another --out.")
        remove_partial_files(folder)
        _write_owner(folder)
    except (UsageError, OutputError) as error:
        claim.kept = isinstance(error, _TakenError)  # another process was faster: the folder is not ours
        claim.release()
        raise
    return claim


def _make_folder(folder: Path) -> tuple[Path, ...]:
    """Create a folder and its missing parents. Returns them, the folder first; nothing if it exists."""
    new_folders: list[Path] = []
    try:
        for parent in reversed(folder.parents):
            if not parent.exists():
                with contextlib.suppress(FileExistsError):  # another process was faster
                    parent.mkdir()
                    new_folders.insert(0, parent)
        folder.mkdir()
    except FileExistsError:
        return ()
    except OSError as error:
        raise output_error(folder, error) from error
    return (folder, *new_folders)


def _is_abandoned(folder: Path) -> bool:
    """Whether a folder is that of a training that was killed, or reads its data, before its recipe."""
    return (folder / LOCK).is_file() and _holds_nothing_trained(folder)


def _holds_nothing_trained(folder: Path) -> bool:
    """Whether a folder holds nothing but what a training writes before its recipe."""
    names = {path.name for path in folder.iterdir()}
    return all(name in BEFORE_RECIPE or name.endswith(".partial") for name in names)


# ---------------------------------------------------------------- the lock


def _lock(folder: Path, wait_seconds: float) -> FileLock | None:
    """Lock a folder. Raises _TakenError if another process holds the lock, with its process id and host."""
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=wait_seconds, poll_interval=0.05)
    except Timeout as error:
        raise _TakenError(f"{folder}: {_describe_owner(folder)}. Wait for it, or stop it first.") from error
    except FileNotFoundError as error:
        raise _TakenError(f"{folder}: another process has just removed it. Try again.") from error
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise output_error(folder, error) from error
    return lock


def _write_owner(folder: Path) -> None:
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
    }
    with atomic_write(folder / OWNER) as partial:
        partial.write_text(json.dumps(owner) + "\n", encoding="utf-8")


def _describe_owner(folder: Path) -> str:
    """Describe who holds the lock, as far as that is known."""
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']} has been training this run since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not written yet, or damaged
        return "another process is training this run"


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
