"""A run: the folder that a training writes, and what is in it."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from boxmask.atomic_write import atomic_write
from boxmask.errors import CheckpointError, UsageError
from boxmask.models.table import AnyModel
from boxmask.runs.recipe import Recipe
from boxmask.weights.checkpoint import BEST, LAST, checkpoint_path, load_model, read_metadata

RESUME, RECIPE, SPLIT = "resume.safetensors", "recipe.json", "split.json"
NOTES, LOG, CURVE, INTERMEDIATE = "notes.txt", "log.jsonl", "curve.png", "intermediate"


@dataclass(frozen=True)
class Run:
    """The folder that a training writes. Every verb of boxmask takes a Run, or its path.

    best.safetensors    the weights with the best metric on the validation split
    last.safetensors    the newest weights
    resume.safetensors  what `--resume` needs besides; removed when the training is complete
    intermediate/       files that one stage leaves for the next; removed when the training is complete
    recipe.json         every choice, and the data set
    split.json          the training, validation and test photos
    notes.txt           remarks about the photos and labels, in full
    log.jsonl           losses, speed and validation metrics over time
    curve.png           the same as a chart
    """

    path: Path

    def __fspath__(self) -> str:
        """The folder, so that a Run stands wherever a path may."""
        return str(self.path)

    # ---------------------------------------------------------------- results

    @property
    def metrics(self) -> dict[str, Any]:
        """The validation metrics of the best checkpoint by name, for example `run.metrics["AP50"]`.

        Empty where there were no validation photos. Raises CheckpointError if there is no checkpoint yet.
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
        return self.has_weights and not self.resume_file.is_file()

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
        """What resuming needs besides the weights."""
        return self.path / RESUME

    @property
    def recipe_file(self) -> Path:
        """Every choice and the data set, as JSON."""
        return self.path / RECIPE

    @property
    def split_file(self) -> Path:
        """The training, validation and test photos, as JSON."""
        return self.path / SPLIT

    @property
    def notes_file(self) -> Path:
        """Remarks about the photos and labels."""
        return self.path / NOTES

    @property
    def intermediate(self) -> Path:
        """The folder for files that one stage leaves for the next: proposals and features."""
        return self.path / INTERMEDIATE

    @property
    def log_file(self) -> Path:
        """One line of JSON per report."""
        return self.path / LOG

    @property
    def curve_file(self) -> Path:
        """Losses and validation metrics over time, as a chart."""
        return self.path / CURVE

    def remove_leftovers(self) -> None:
        """Remove what only an unfinished training needs."""
        self.resume_file.unlink(missing_ok=True)  # first: without all intermediate files, resuming fails
        if self.intermediate.exists():
            shutil.rmtree(self.intermediate)


def choose_folder(out: Path | None, model: str) -> Path:
    """`out`, which must not exist, or the next free runs/<model>-<number>. Nothing is made yet."""
    if out is not None:
        if out.exists():
            raise UsageError(f"{out}: exists already. Go on with it: --resume; or give another --out.")
        return out
    number = 1
    while (Path("runs") / f"{model}-{number}").exists():
        number += 1
    return Path("runs") / f"{model}-{number}"


def write_json(path: Path, content: Any) -> None:
    """All or nothing."""
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def recipe_json(recipe: Recipe, data: Path, fingerprint: str) -> dict[str, Any]:
    """What recipe.json holds."""
    choices = {name: str(v) if isinstance(v, Path) else v for name, v in asdict(recipe).items()}
    return {"data": str(data.absolute()), "fingerprint": fingerprint, "recipe": choices}


def recipe_from_json(content: dict[str, Any]) -> Recipe:
    """The recipe in recipe.json."""
    choices = dict(content["recipe"])
    choices["scale"] = tuple(choices["scale"])
    choices["model_options"] = tuple(choices["model_options"])
    for name in ("split_file", "detector", "classifier", "classes_file"):
        choices[name] = choices[name] and Path(choices[name])
    return Recipe(**choices)


def read_recipe(run: Run) -> tuple[Recipe, Path]:
    """The recipe of a run and where its data lay; raises CheckpointError if recipe.json is not one."""
    try:
        content = json.loads(run.recipe_file.read_text(encoding="utf-8"))
        return recipe_from_json(content), Path(content["data"])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        message = f"{run.recipe_file}: cannot be read as the recipe of this run ({error})"
        raise CheckpointError(f"{message}. Restore the file, or train anew.") from error


def versions() -> dict[str, str]:
    """Of the programs that a result depends on."""
    packages = ("boxmask", "torch", "torchvision", "timm", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
