"""A run: the folder that a training writes, and its files."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from boxmask.atomic_write import atomic_write
from boxmask.errors import CheckpointError, UsageError
from boxmask.models.table import AnyModel
from boxmask.runs.recipe import Recipe
from boxmask.runs.serialization import recipe_from_dict, recipe_to_dict
from boxmask.weights.checkpoint import BEST, LAST, checkpoint_path, load_model, read_metadata

RESUME = "resume.safetensors"
RECIPE = "recipe.json"
SPLIT = "split.json"
ANCESTORS = "ancestors.json"
NOTES = "notes.txt"
LOG = "log.jsonl"
CURVE = "curve.png"
SAMPLES = "samples.jpg"
PREDICTIONS = "predictions"
INTERMEDIATE = "intermediate"
ERROR = "error.txt"
TRACKERS = "trackers.json"
TENSORBOARD, MLFLOW, WANDB = "tensorboard", "mlflow", "wandb"
FILES = (BEST, LAST, RESUME, RECIPE, SPLIT, ANCESTORS, NOTES, LOG, CURVE, SAMPLES, ERROR, TRACKERS)
FOLDERS = (PREDICTIONS, INTERMEDIATE, TENSORBOARD, MLFLOW, WANDB)


@dataclass(frozen=True)
class Run:
    """The folder that a training writes. Every verb of boxmask takes a Run, or its path.

    best.safetensors    the weights with the best metric on the validation split
    last.safetensors    the newest weights
    resume.safetensors  the rest of the training state, for `--resume`; removed at the end of the training
    intermediate/       files that one stage writes for the next; removed at the end of the training
    recipe.json         the recipe, and the path of the data set
    split.json          the training, validation and test photos, a record of their contents, and of the draw
    ancestors.json      the photos that the training has seen through the weights it started from, if any
    notes.txt           remarks about the photos and labels, in full
    log.jsonl           losses, speed and validation metrics over time
    curve.png           the same as a chart
    samples.jpg         augmented training photos with their labels, as the network sees them
    predictions/        what the model found in a few validation photos, one picture per validation
    error.txt           the traceback of an unexpected error that ended the training
    tensorboard/, mlflow/, wandb/
                        the log for these programs, if the recipe asks for them (`--log-with`)
    trackers.json       how many rows of the log each of these has

    While a process trains the run, a lock keeps other processes from training it as well.
    """

    path: Path

    @staticmethod
    def from_path(path: str | os.PathLike[str]) -> Run:
        """The run that a path belongs to: its folder, a checkpoint in the folder, or a `Run`."""
        folder = Path(path)
        return Run(folder if folder.is_dir() else folder.parent)

    def __fspath__(self) -> str:
        """The folder, so that a Run can be passed wherever a path can."""
        return str(self.path)

    # ---------------------------------------------------------------- results

    @property
    def metrics(self) -> dict[str, Any]:
        """The validation metrics of the best checkpoint by name, for example `run.metrics["AP50"]`.

        Empty if there were no validation photos. Raises CheckpointError if there is no checkpoint yet.
        """
        return read_metadata(checkpoint_path(self.path)).metrics

    @property
    def recipe(self) -> Recipe:
        """The recipe of the training. Raises CheckpointError if recipe.json cannot be read."""
        return read_recipe(self)[0]

    def model(self, device: str = "auto") -> AnyModel:
        """The trained model, ready to `predict`. The same as `boxmask.load(run, device)`."""
        return load_model(self.path, device)

    @property
    def finished(self) -> bool:
        """Whether the training reached its end. If not, it can be resumed."""
        return self.last_checkpoint.is_file() and not self.resume_file.is_file()

    @property
    def has_weights(self) -> bool:
        """Whether there is a checkpoint to load a model from."""
        return self.best_checkpoint.is_file() or self.last_checkpoint.is_file()

    # ---------------------------------------------------------------- files

    @property
    def best_checkpoint(self) -> Path:
        """The weights with the best metric on the validation split."""
        return self.path / BEST

    @property
    def last_checkpoint(self) -> Path:
        """The newest weights."""
        return self.path / LAST

    @property
    def resume_file(self) -> Path:
        """The training state besides the weights, from which training resumes."""
        return self.path / RESUME

    @property
    def recipe_file(self) -> Path:
        """The recipe and the path of the data set, as JSON."""
        return self.path / RECIPE

    @property
    def split_file(self) -> Path:
        """The training, validation and test photos, as JSON."""
        return self.path / SPLIT

    @property
    def ancestors_file(self) -> Path:
        """The training photos of the runs whose weights this run started from, as JSON."""
        return self.path / ANCESTORS

    @property
    def notes_file(self) -> Path:
        """Remarks about the photos and labels."""
        return self.path / NOTES

    @property
    def intermediate(self) -> Path:
        """The folder of files that one stage writes for the next: proposals and features."""
        return self.path / INTERMEDIATE

    @property
    def log_file(self) -> Path:
        """One line of JSON per report."""
        return self.path / LOG

    @property
    def curve_file(self) -> Path:
        """Losses and validation metrics over time, as a chart."""
        return self.path / CURVE

    @property
    def samples_file(self) -> Path:
        """Augmented training photos with their labels, as the network sees them."""
        return self.path / SAMPLES

    @property
    def predictions(self) -> Path:
        """The folder of pictures of what the model found, one per validation."""
        return self.path / PREDICTIONS

    @property
    def error_file(self) -> Path:
        """The traceback of an unexpected error that ended the training."""
        return self.path / ERROR

    @property
    def trackers_file(self) -> Path:
        """How many rows of the log each tracker has, as JSON."""
        return self.path / TRACKERS

    def remove_leftovers(self) -> None:
        """Remove the files that only an unfinished training needs."""
        self.resume_file.unlink(missing_ok=True)  # first: without all intermediate files, resuming fails
        self.error_file.unlink(missing_ok=True)
        if self.intermediate.exists():
            shutil.rmtree(self.intermediate)

    def remove_files(self) -> None:
        """Remove the files of the run, and no others. Files that cannot be removed stay."""
        for name in FILES:
            with contextlib.suppress(OSError):
                (self.path / name).unlink()
        for folder in (*(self.path / name for name in FOLDERS), *self.path.glob(".*.partial")):
            shutil.rmtree(folder, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def recipe_json(recipe: Recipe, data: Path, fingerprint: str) -> dict[str, Any]:
    """The content of recipe.json."""
    return {"data": str(data.absolute()), "fingerprint": fingerprint, "recipe": recipe_to_dict(recipe)}


def read_recipe(run: Run) -> tuple[Recipe, Path]:
    """The recipe of a run and the path of its data set. Raises CheckpointError for a damaged recipe.json."""
    recipe, data, _ = _read_recipe_file(run)
    return recipe, data


def read_fingerprint(run: Run) -> str:
    """The fingerprint of the data of a run. Raises CheckpointError for a damaged recipe.json."""
    return _read_recipe_file(run)[2]


def _read_recipe_file(run: Run) -> tuple[Recipe, Path, str]:
    """What `recipe_json` wrote."""
    try:
        content = json.loads(run.recipe_file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("data"), str):
            raise ValueError('expected an object with "data" and "recipe"')
        recipe, fingerprint = recipe_from_dict(content.get("recipe")), str(content.get("fingerprint"))
        return recipe, Path(content["data"]), fingerprint
    except (OSError, ValueError, RecursionError, UsageError) as error:
        message = f"{run.recipe_file}: this is not the recipe of a run ({error})"
        raise CheckpointError(f"{message}. Restore the file, or train again.") from error


def versions() -> dict[str, str]:
    """The versions of the packages that a result depends on, by name."""
    packages = ("boxmask", "torch", "torchvision", "timm", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
