"""Training that starts from the weights of trained models: --init, --detector and --classifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import AUTO
from boxmask.weights.checkpoint import is_checkpoint
from boxmask.weights.transfer import Pretrained, transfer_weights

DEFAULT_MODEL = "faster-rcnn"


@dataclass(frozen=True)
class InitSources:
    """The trained models that a new network is initialized from, if any."""

    detector: Pretrained | None = None
    classifier: Pretrained | None = None

    @staticmethod
    def from_recipe(recipe: Recipe) -> InitSources:
        """Read the models that the recipe names.

        Raises CheckpointError or WeightsError for a file that cannot be read, and UsageError for timm
        weights without the name of their network.
        """
        source = recipe.init or recipe.detector
        detector = Pretrained.from_run(source) if source else None
        return InitSources(detector, _read_classifier(recipe, detector))

    def model_for(self, recipe: Recipe) -> str:
        """Return the method: the recipe's, else that of --init, else Faster R-CNN."""
        if recipe.model != AUTO:
            return recipe.model
        return self.detector.model if self.detector and recipe.init else DEFAULT_MODEL

    def backbone_for(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the backbone of the sources, unless the user chose one."""
        source = self.classifier or self.detector
        return recipe if source is None or recipe.backbone else replace(recipe, backbone=source.backbone)

    def transfer(self, network: Model) -> tuple[str, ...]:
        """Copy the sources' weights into a new network; returns one line per part on where it came from."""
        report = transfer_weights(network, detector=self.detector, classifier=self.classifier)
        return tuple(f"{part}: {origin}" for part, origin in report.items())


def _read_classifier(recipe: Recipe, detector: Pretrained | None) -> Pretrained | None:
    """Read a boxmask run, or a file with timm's weights for a whole network."""
    if recipe.classifier is None:
        return None
    path = Path(recipe.classifier)
    if not path.is_file() or is_checkpoint(path):
        return Pretrained.from_run(path)
    backbone = recipe.backbone or (detector.backbone if detector else None)
    if backbone is None:
        raise UsageError(
            f"--classifier {path}: this file does not hold weights of a boxmask model. If they are timm's, "
            "name their network with --backbone NAME."
        )
    return Pretrained.from_timm(path, backbone)
