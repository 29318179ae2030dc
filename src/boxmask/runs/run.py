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
from boxmask.runs.recipe import Recipe
from boxmask.weights.checkpoint import BEST, LAST

RESUME, RECIPE, SPLIT = "resume.safetensors", "recipe.json", "split.json"
NOTES, LOG, CURVE, KEPT = "notes.txt", "log.jsonl", "curve.png", "kept"


@dataclass(frozen=True)
class Run:
    """The folder of a training.

    best.safetensors    the weights that did best on the validation split
    last.safetensors    the newest weights
    resume.safetensors  what `--resume` needs besides; gone when the training is complete
    kept/               what one stage leaves for the next; gone when the training is complete
    recipe.json         every choice, and the data it was made for
    split.json          which photo is for training, validation and test
    notes.txt           what was noticed about the photos and labels, in full
    log.jsonl           losses, speed and validation figures over time
    curve.png           the same as a picture
    """

    folder: Path

    @property
    def best(self) -> Path:
        """The weights that did best on the validation split."""
        return self.folder / BEST

    @property
    def last(self) -> Path:
        """The newest weights."""
        return self.folder / LAST

    @property
    def has_weights(self) -> bool:
        """Whether there is a checkpoint yet that a model can be loaded from."""
        return self.best.is_file() or self.last.is_file()

    @property
    def finished(self) -> bool:
        """Whether the training came to its end; if not, it can be resumed."""
        return self.has_weights and not self.resume.is_file()

    @property
    def resume(self) -> Path:
        """What is needed to go on, besides the weights."""
        return self.folder / RESUME

    @property
    def recipe(self) -> Path:
        """Every choice, as JSON."""
        return self.folder / RECIPE

    @property
    def split(self) -> Path:
        """Which photo is in which split."""
        return self.folder / SPLIT

    @property
    def notes(self) -> Path:
        """What was noticed about the photos and labels."""
        return self.folder / NOTES

    @property
    def kept(self) -> Path:
        """What a stage leaves for the next ones: proposals, features. Gone when the training is complete."""
        return self.folder / KEPT

    def remove_leftovers(self) -> None:
        """Remove what only a training that goes on needs."""
        self.resume.unlink(missing_ok=True)  # first: with half of `kept` a training cannot go on
        if self.kept.exists():
            shutil.rmtree(self.kept)

    @property
    def log(self) -> Path:
        """A line of JSON for each report."""
        return self.folder / LOG

    @property
    def curve(self) -> Path:
        """Losses and validation figures over time."""
        return self.folder / CURVE


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
        content = json.loads(run.recipe.read_text(encoding="utf-8"))
        return recipe_from_json(content), Path(content["data"])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        message = f"{run.recipe}: cannot be read as the recipe of this run ({error})"
        raise CheckpointError(f"{message}. Restore the file, or train anew.") from error


def versions() -> dict[str, str]:
    """Of the programs that a result depends on."""
    packages = ("boxmask", "torch", "torchvision", "timm", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
