"""Training that starts from the weights of trained models: --init, --detector and --classifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from boxmask.detectors.table import DETECTORS
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import AUTO
from boxmask.runs.serialization import recipe_to_dict
from boxmask.tasks.table import task_of
from boxmask.training.inherited_config import inherit_config, raise_limits
from boxmask.training.init_hint import init_hint
from boxmask.training.initial_rate import describe_rate, rate_factor
from boxmask.training.initialization_table import show_origins
from boxmask.training.session import Session
from boxmask.weights.imagenet import describe_origin
from boxmask.weights.pretrained import Pretrained
from boxmask.weights.published.manifest import is_published_name
from boxmask.weights.sources import read_source
from boxmask.weights.transfer import transfer_weights

DEFAULT_MODEL = "faster-rcnn"


@dataclass(frozen=True)
class InitSources:
    """The trained models that a new network is initialized from, if any.

    source:          of every part that fits: --init or --detector
    backbone_source: of the backbone: --classifier
    lowers_rate:     whether the learning rate is lowered where most is inherited: the user gave none
    given_options:   the names of the model options that the user gave
    """

    source: Pretrained | None = None
    backbone_source: Pretrained | None = None
    lowers_rate: bool = True
    given_options: frozenset[str] = frozenset()

    @staticmethod
    def from_recipe(recipe: Recipe) -> InitSources:
        """Read the models that the recipe names. Raises CheckpointError or WeightsError, as `read_source`."""
        named = recipe.init or recipe.detector
        source = read_source(str(named), recipe.backbone) if named else None
        backbone = recipe.backbone or (source.backbone if source else None)
        classifier = read_source(str(recipe.classifier), backbone) if recipe.classifier else None
        given = frozenset(recipe.option_values)
        return InitSources(source, classifier, recipe.learning_rate is None, given)

    @property
    def has_detector(self) -> bool:
        """Whether there is a detector, whose pyramid and heads fit the levels that they were trained with."""
        return self.source is not None and self.source.model in DETECTORS

    def resolve(self, recipe: Recipe) -> Recipe:
        """The recipe with what follows from the sources, unless the user chose it: method, config, backbone.

        The choices are written out, so that a resumed training needs no sources.
        """
        if recipe.model == AUTO:
            inherited = self.source.model if self.source and recipe.init else ""
            recipe = replace(recipe, model=inherited or DEFAULT_MODEL)
        if self.source is not None:
            recipe = inherit_config(recipe, self.source)
        source = self.backbone_source or self.source
        return recipe if source is None or recipe.backbone else replace(recipe, backbone=source.backbone)

    def fit_limits(self, recipe: Recipe, dataset: Any) -> Recipe:
        """A resolved recipe whose inherited limits suffice for the most crowded photo of a data set."""
        if self.source is None:
            return recipe
        return raise_limits(recipe, task_of(recipe.model).config_options(dataset, recipe), self.given_options)


def initialize(session: Session, sources: InitSources, data: Path) -> None:
    """Initialize the network from the sources, if there are any, and show where its weights are from.

    Where most is inherited, the learning rate is lowered, unless the user gave one.
    """
    recipe, network, report = session.recipe, session.state.network, session.report
    if not recipe.has_init:
        backbone = network.config.backbone
        report.message(f"backbone: {backbone}, {describe_origin(backbone, recipe.weights)}")
        if recipe.training == "joint" and (hint := init_hint(recipe.model, data, session.run)):
            report.message(f"note: {hint}")
        return
    transfer = transfer_weights(network, source=sources.source, backbone_source=sources.backbone_source)
    show_origins(report, transfer.parts)
    session.state.starts_trained = transfer.is_complete
    factor = rate_factor(transfer)
    if sources.lowers_rate and factor < 1:
        before = recipe.method.learning_rate
        session.recipe = replace(recipe, learning_rate=before * factor)
        session.state.recipe = recipe_to_dict(session.recipe)
        report.message(describe_rate(factor, before, before * factor))


def absolute_source(source: Path) -> Path:
    """A source from any current folder: an absolute path, unless it is a name of published weights."""
    return source if is_published_name(source) else source.absolute()
