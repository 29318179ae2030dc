"""A training that begins from what others have learned: --detector and --classifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.weights.checkpoint import is_checkpoint
from boxmask.weights.transfer import Pretrained, transfer_weights


@dataclass(frozen=True)
class InitSources:
    """The networks that a new one is joined from, as far as any were given."""

    detector: Pretrained | None = None
    classifier: Pretrained | None = None

    @staticmethod
    def of(recipe: Recipe) -> InitSources:
        """Read them. Raises CheckpointError, WeightsError or UsageError where that cannot be."""
        detector = Pretrained.from_run(recipe.detector) if recipe.detector else None
        return InitSources(detector, _classifier(recipe, detector))

    def backbone_for(self, recipe: Recipe) -> Recipe:
        """The recipe with their backbone, where the user chose none."""
        giver = self.classifier or self.detector
        return recipe if giver is None or recipe.backbone else replace(recipe, backbone=giver.backbone)

    def transfer(self, network: Model) -> tuple[str, ...]:
        """Give a fresh network what they have learned; says in words what came from where."""
        report = transfer_weights(network, box_detector=self.detector, classifier=self.classifier)
        return tuple(f"{part}: {origin}" for part, origin in report.items())


def _classifier(recipe: Recipe, detector: Pretrained | None) -> Pretrained | None:
    """A run of ours, or a file with timm's weights of a whole network."""
    if recipe.classifier is None:
        return None
    path = Path(recipe.classifier)
    if not path.is_file() or is_checkpoint(path):
        return Pretrained.from_run(path)
    backbone = recipe.backbone or (detector.backbone if detector else None)
    if backbone is None:
        raise UsageError(
            f"--classifier {path}: these are not weights of boxmask; say with --backbone NAME of which of "
            "timm's networks they are"
        )
    return Pretrained.from_timm(path, backbone)
