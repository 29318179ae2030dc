"""Trained weights that a new network can start from, whatever they were trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from boxmask.errors import CheckpointError, UsageError
from boxmask.messages import one_line
from boxmask.models.table import config_from_json, name_of
from boxmask.names import class_name
from boxmask.pipeline.model import Model
from boxmask.weights.checkpoint import REMEDY, checkpoint_path, read_checkpoint
from boxmask.weights.parts import part_keys

State = Mapping[str, Tensor]
SAME_CLASS = {"__background__": "background"}  # torchvision's name of a class: ours


@dataclass(frozen=True)
class Pretrained:
    """Weights to initialize a network from.

    origin:   what they are, for messages and tables
    backbone: timm's name of their backbone
    state:    state dict of a network of boxmask, or of a whole network of timm
    model:    the method, as in `models.table`; "" for a network of timm
    config:   the config of a network of boxmask
    """

    origin: str
    backbone: str
    state: State
    model: str = ""
    config: Any = None

    @staticmethod
    def from_model(model: Model, origin: str) -> Pretrained:
        """From a network."""
        return Pretrained(origin, model.config.backbone, model.state_dict(), name_of(model), model.config)

    @staticmethod
    def from_run(run: str | Path) -> Pretrained:
        """From a run folder or checkpoint. Raises CheckpointError if it is missing, damaged or too old."""
        path = checkpoint_path(Path(run))
        tensors, metadata = read_checkpoint(path)
        try:
            config = config_from_json(metadata.model, metadata.config)
        except (UsageError, ValueError) as error:
            raise CheckpointError(
                f"{path}: this checkpoint does not fit this version of boxmask ({one_line(error)}). {REMEDY}"
            ) from error
        return Pretrained(str(run), config.backbone, tensors, metadata.model, config)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that they were trained on, in the form in which names are compared."""
        names = map(class_name, self.config.class_names if self.config else ())
        return tuple(SAME_CLASS.get(name, name) for name in names)

    @cached_property
    def parts(self) -> dict[str, Tensor]:
        """The tensors by what they mean (`parts.py`); empty for a network of timm."""
        if not self.model:
            return {}
        names = part_keys(self.model, asdict(self.config), self.state)
        return {names[key]: tensor for key, tensor in self.state.items() if key in names}
