"""Initialize a network from trained ones: every part that fits, and the classes by name.

    Faster R-CNN  -> backbone, pyramid, RPN, box head     \\
    Mask R-CNN    -> the same, and the mask head           } Mask R-CNN (or Faster R-CNN)
    a classifier  -> backbone, instead of the detector's  /

The backbone takes every tensor that fits. Other parts are transferred whole, if every tensor is there in the
right shape, or not at all. The rows of the last layers are matched by class name. `parts.py` says which
tensors of two networks mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from boxmask.errors import WeightsError
from boxmask.models.table import name_of
from boxmask.names import class_name
from boxmask.options import option
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.model import Model
from boxmask.weights.class_rows import class_rows, merge_classes
from boxmask.weights.parts import BACKBONE, PARTS, READS, part_keys, part_of
from boxmask.weights.pretrained import Pretrained

MAX_LISTED = 6  # names of classes in a line
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class PartOrigin:
    """Where a part of a new network is from.

    part:   its name for users
    origin: what its weights are from; "" if they are new
    detail: the classes, or why the part is new
    """

    part: str
    origin: str
    detail: str = ""


@dataclass(frozen=True)
class Transfer:
    """What a network was initialized with.

    parts:         the origin of each part
    head_share:    share of the weights outside the backbone that are inherited, in 0..1
    known_classes: the classes whose rows are inherited
    new_classes:   the others
    """

    parts: tuple[PartOrigin, ...]
    head_share: float
    known_classes: tuple[str, ...]
    new_classes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all parts and classes are those of one source: the network finds what its source found."""
        origins = {part.origin for part in self.parts}
        return len(origins) == 1 and "" not in origins and not self.new_classes


def transfer_weights(
    network: Model, *, source: Pretrained | None = None, backbone_source: Pretrained | None = None
) -> Transfer:
    """Initialize a newly built network from trained ones.

    source:          source of every part that it has
    backbone_source: source of the backbone, instead of the other's

    Parts without a source keep their initial weights.
    Raises WeightsError, before anything is changed, if a source has another backbone than the network, or one
    of which no tensor fits.
    """
    for weights in filter(None, (source, backbone_source)):
        _check_backbone(weights, network.config.backbone)
    state = network.state_dict()
    names = part_keys(name_of(network), asdict(network.config), state)
    target = {names[key]: tensor for key, tensor in state.items()}
    new, backbone = _transfer_backbone(target, backbone_source or source, _backbone_of(network))
    class_names = [class_name(name) for name in network.config.class_names]
    origins = {BACKBONE: backbone}
    present = set(map(part_of, target)) - {BACKBONE}
    for part in (part for part in PARTS if part in present):  # in the order in which they read each other
        tensors, origins[part] = _transfer_part(part, target, source, class_names, origins)
        new |= tensors
    network.load_state_dict({key: new.get(names[key], tensor) for key, tensor in state.items()})
    known, unknown = _classes(source, class_names, origins)
    return Transfer(tuple(origins.values()), _head_share(target, new), known, unknown)


def _select(part: str, state: State) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if part_of(name) == part}


# ---------------------------------------------------------------- backbone


def _backbone_of(network: Model) -> Any:
    return getattr(network, "boxes", network).backbone  # Mask R-CNN's is that of its Faster R-CNN


def _check_backbone(source: Pretrained, backbone: str) -> None:
    if source.backbone != backbone:
        raise WeightsError(
            f"{source.origin} has backbone {source.backbone}, but the new network has {backbone}. Use "
            f"{option('backbone', source.backbone)}, or train the source with {option('backbone', backbone)}."
        )


def _transfer_backbone(
    target: State, source: Pretrained | None, backbone: Any
) -> tuple[dict[str, Tensor], PartOrigin]:
    """The tensors of the source's backbone that fit, and their origin."""
    if source is None:
        return {}, PartOrigin(PARTS[BACKBONE], "", "unchanged")
    wanted = _select(BACKBONE, target)
    found = _select(BACKBONE, source.parts) or _from_timm(source, backbone)
    fits = {name for name in wanted if name in found and found[name].shape == wanted[name].shape}
    fitting = {name: found[name] for name in wanted if name in fits}
    if not any(name.endswith("weight") for name in fitting):
        raise WeightsError(
            f"{source.origin}: none of its weights fit the backbone {source.backbone} of the new network. "
            "Give the run of a classifier or a detector, or a file with timm's weights."
        )
    missing = len(wanted) - len(fitting)
    detail = f"; {missing} of {len(wanted)} tensors are not in it and stay unchanged" if missing else ""
    return fitting, PartOrigin(PARTS[BACKBONE], source.origin, source.backbone + detail)


def _from_timm(source: Pretrained, backbone: Any) -> dict[str, Tensor]:
    """timm's weights with our keys and batch norm folded; empty if the backbone is not one of timm's."""
    if not isinstance(backbone, Backbone):
        return {}
    built = Backbone(source.backbone, backbone.strides, dict(source.state))
    return {f"{BACKBONE}.{key}": tensor for key, tensor in built.state_dict().items()}


# ---------------------------------------------------------------- pyramid and heads


def _transfer_part(
    part: str,
    target: State,
    source: Pretrained | None,
    class_names: Sequence[str],
    origins: Mapping[str, PartOrigin],
) -> tuple[dict[str, Tensor], PartOrigin]:
    """All tensors of a part or none, and their origin.

    origins: of the parts before it
    """

    def new(reason: str) -> tuple[dict[str, Tensor], PartOrigin]:
        return {}, PartOrigin(PARTS[part], "", reason)

    if source is None or not _select(part, source.parts):
        return new(f"not in {source.origin}" if source else "")
    for read in READS.get(part, ()):
        if read in origins and not origins[read].origin:
            return new(f"it reads the new {PARTS[read]}")
    merged: dict[str, Tensor] = {}
    for name, tensor in _select(part, target).items():
        found = source.parts.get(name)
        if found is None:
            return new(f"{name.partition('.')[2]} is missing there")
        fitting = merge_classes(name, tensor, found, class_names, source.class_names)
        if fitting is None:
            shapes = f"{tuple(found.shape)} there, {tuple(tensor.shape)} here"
            return new(f"{name.partition('.')[2]} has shape {shapes}")
        merged[name] = fitting
    has_classes = any(map(class_rows, merged))
    detail = _describe_classes(class_names, source) if has_classes else ""
    return merged, PartOrigin(PARTS[part], source.origin, detail)


def _head_share(target: State, new: State) -> float:
    """The share of the weights outside the backbone that are inherited; 1 if there are none."""
    sizes = {name: tensor.numel() for name, tensor in target.items() if part_of(name) != BACKBONE}
    return sum(size for name, size in sizes.items() if name in new) / sum(sizes.values()) if sizes else 1.0


# ---------------------------------------------------------------- classes


def _classes(
    source: Pretrained | None, class_names: Sequence[str], origins: Mapping[str, PartOrigin]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes that are inherited, and those that are new: all if a layer of class scores is new."""
    scores_are_new = any(part.endswith("_classes") and not origins[part].origin for part in origins)
    found = () if source is None or scores_are_new else source.class_names
    known = tuple(name for name in class_names if name in found)
    return known, tuple(name for name in class_names if name not in found)


def _describe_classes(class_names: Sequence[str], source: Pretrained) -> str:
    known = [name for name in class_names if name in source.class_names]
    new = [name for name in class_names if name not in source.class_names]
    rest = f"; new: {_listed(new)}" if new else ""
    return f"{len(known)} of {len(class_names)} classes{f' ({_listed(known)})' if known else ''}{rest}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")
