"""Errors that end a training. The training is saved first, so that it can be resumed."""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from boxmask.atomic_write import atomic_write
from boxmask.errors import BoxmaskError, OutputError, TrainingError
from boxmask.options import option
from boxmask.runs.run import Run
from boxmask.training.signals import StopRequested, ignore_worker_errors

if TYPE_CHECKING:
    from boxmask.training.session import Session

OUT_OF_MEMORY = (  # in texts of RuntimeError, in lower case
    "out of memory",
    "not enough memory",
    "allocate memory",
    "unable to allocate",  # numpy, in a worker
    "alloc_failed",  # cuDNN and cuBLAS
    "could not create a primitive",  # oneDNN, which names no reason; tried with a limit on memory
)
MAX_TEXT = 500  # characters of an error, which may be a page


@contextmanager
def save_on_failure(session: Session) -> Iterator[None]:
    """Save the training if the block raises, and add to the error how to resume it.

    Errors that are not boxmask's become TrainingError: for example a worker that the system killed, a
    lack of memory or a full disk. KeyboardInterrupt passes: the third Ctrl-C stops without saving.
    """
    try:
        yield
    except StopRequested:
        raise
    except BoxmaskError as error:
        error.args = (f"{error}{_save(session)}", *error.args[1:])
        raise
    except Exception as error:  # of any library that the step uses: the training must not be lost
        raise TrainingError(f"{_describe(error, session)}{_save(session)}") from error


def _save(session: Session) -> str:
    """Save the state; returns sentences on where it is, after a space. Empty if nothing was trained."""
    if not session.state.has_trained:
        return ""
    if session.state.consistent:
        with ignore_worker_errors():  # of others that end now
            session.checkpoints.save()
    return " " + how_to_resume(session.run)


def how_to_resume(run: Run) -> str:
    """Say how a run continues, and where its weights are."""
    command = f"boxmask train --resume --out {shlex.quote(str(run.path))}"
    weights = f" The last saved weights are in {run.path}." if run.has_weights else ""
    if run.resume_file.is_file():
        return f"Then continue with: {command}.{weights}"
    return f"No state was saved, so the training starts again with: {command}.{weights}"


def save_error(session: Session) -> TrainingError:
    """Return the error for a training whose last save has failed."""
    return TrainingError(f"{session.checkpoints.error} {how_to_resume(session.run)}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out: that of the machine, or of a GPU.

    torch has an error of its own for GPUs only. On a CPU, and for errors in workers, the text tells.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)


def _describe(error: Exception, session: Session) -> str:
    """Say what happened and what to do, in sentences."""
    text = " ".join(str(error).split())[:MAX_TEXT]
    if is_out_of_memory(error):
        return f"out of memory ({text or 'MemoryError'}). {_use_less_memory(session)}"
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        killed = f"a process that loads photos was killed, probably for lack of memory ({text})."
        return f"{killed} {_use_less_memory(session)}"
    if isinstance(error, OSError):
        return f"training cannot read or write a file ({text})."
    details = _write_traceback(error, session.run)
    return f"training failed ({type(error).__name__}: {text}).{details}"


def _use_less_memory(session: Session) -> str:
    """Say how a new training takes less memory, and how this one can go on."""
    count, size = session.recipe.batch_size, session.state.network.config.shorter_side
    return (
        f"A new training takes less with a smaller {option('batch_size')}, here {count}, or a smaller "
        f"--size, here {size}. Close other programs to free memory."
    )


def _write_traceback(error: Exception, run: Run) -> str:
    """Write error.txt, for a report of the bug; returns a sentence that says so, after a space."""
    try:
        with atomic_write(run.error_file) as partial:
            partial.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OutputError:
        return ""
    return f" Please report this: the details are in {run.error_file}."
