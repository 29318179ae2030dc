"""A network begun from what others have learned: a detector's parts, a classifier's backbone.

    Faster R-CNN  -> backbone, pyramid, RPN, box head     \\
    Mask R-CNN    -> the same, and the mask head           } Mask R-CNN (or Faster R-CNN)
    a classifier  -> backbone, in place of the detector's /

Segmenters and classifiers take the backbone alone.
A part is taken where all of its tensors are there in the right shape; else it stays as the network was
built with it. The last layers are put together by class name: a class that both know keeps its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from boxmask.errors import WeightsError
from boxmask.pipeline.features.backbone import Backbone
from boxmask.weights.checkpoint import checkpoint_path, read_checkpoint
from boxmask.weights.imagenet import backbone_weights

BOXES = "boxes."  # under it, Mask R-CNN has what Faster R-CNN has
BACKBONE = "backbone."
PARTS = {"fpn.": "pyramid", "rpn_head.": "RPN", "box_head.": "box head", "mask_head.": "mask head"}
BACKGROUND = None  # stands among class names for the rows of the background

Rows = list[str | None]  # which class each row, or group of rows, of a last layer belongs to
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Pretrained:
    """Pretrained numbers to take from.

    origin:      whose they are, in words
    backbone:    timm's name of it
    state:       of a detector, a segmenter or a classifier of ours; or timm's of a whole network
    class_names: those that it knows
    """

    origin: str
    backbone: str
    state: State
    class_names: tuple[str, ...] = ()

    @staticmethod
    def from_run(run: str | Path) -> Pretrained:
        """From a run's folder or checkpoint. Raises CheckpointError if it is missing or damaged."""
        path = checkpoint_path(Path(run))
        tensors, metadata = read_checkpoint(path)
        class_names = tuple(metadata.config.get("class_names", ()))
        backbone = str(metadata.config.get("backbone", ""))
        return Pretrained(f"the {metadata.model} of {run}", backbone, tensors, class_names)

    @staticmethod
    def from_timm(file: str | Path, backbone: str) -> Pretrained:
        """From a file with timm's weights of a whole network. Raises WeightsError if it cannot be read."""
        return Pretrained(f"the weights in {file}", backbone, backbone_weights(backbone, str(file)) or {})

    def parts(self) -> dict[str, Tensor]:
        """Its tensors under Faster R-CNN's names, whether they lie under `boxes.` or not."""
        return {key.removeprefix(BOXES): tensor for key, tensor in self.state.items()}


@dataclass(frozen=True)
class Joined:
    """What came of it.

    report: for each part of the network, in words, where its numbers are from
    """

    report: tuple[str, ...]


def transfer_weights(
    network: nn.Module, *, box_detector: Pretrained | None = None, classifier: Pretrained | None = None
) -> Joined:
    """Put what the given ones have learned into a Mask R-CNN, or another network, that was just built.

    What neither has stays as it is. With both, the backbone is the classifier's.
    Raises WeightsError, with nothing changed, where one has another backbone than the network, or none that
    fits.
    """
    prefix = BOXES if hasattr(network, "boxes") else ""
    reader: Any = getattr(network, "boxes", network)  # what has the backbone
    config, state = reader.config, network.state_dict()
    own = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    for given, flag in ((box_detector, "--detector"), (classifier, "--classifier")):
        if given is not None:
            _require_backbone(given, config.backbone, flag)
    taken, said = _backbone(own, classifier or box_detector, reader.backbone)
    report = [f"backbone: {said}"]
    for part, name in PARTS.items():
        if any(key.startswith(part) for key in own):
            tensors, said = _part(part, own, box_detector, config.class_names)
            taken |= tensors
            report.append(f"{name}: {said}")
    network.load_state_dict({key: taken.get(key.removeprefix(prefix), state[key]) for key in state})
    return Joined(tuple(report))


# ---------------------------------------------------------------- backbone


def _require_backbone(given: Pretrained, backbone: str, flag: str) -> None:
    if given.backbone != backbone:
        raise WeightsError(
            f"{flag}: {given.origin} has the backbone {given.backbone}, and the new network {backbone}. "
            f"Give the new one --backbone {given.backbone}, or train the other with --backbone {backbone}."
        )


def _backbone(own: State, given: Pretrained | None, backbone: nn.Module) -> tuple[dict[str, Tensor], str]:
    """All of the backbone's layers that the given one has, and in words what was taken."""
    if given is None:
        return {}, "as it was built"
    wanted = _below(BACKBONE, own)
    found = _below(BACKBONE, given.parts()) or _from_timm(given, backbone)
    fitting = {key: found[key] for key in wanted if key in found and found[key].shape == wanted[key].shape}
    if not any(key.endswith("weight") for key in fitting):
        raise WeightsError(
            f"{given.origin}: nothing in it is of a {given.backbone} as the new network reads it. "
            "Give the run of a classifier or a detector, or a file with timm's weights."
        )
    rest = len(wanted) - len(fitting)
    but = (
        f"; {rest} of its {len(wanted)} tensors, which are not there, are as they were built" if rest else ""
    )
    return fitting, f"from {given.origin} ({given.backbone}){but}"


def _from_timm(given: Pretrained, backbone: nn.Module) -> dict[str, Tensor]:
    """timm's tensors as a backbone of ours has them, with batch norm folded; none as those of papers' own."""
    if not isinstance(backbone, Backbone):
        return {}
    body = Backbone(given.backbone, backbone.strides, dict(given.state))
    return {BACKBONE + key: tensor for key, tensor in body.state_dict().items()}


# ---------------------------------------------------------------- what lies behind it


def _part(
    part: str, own: State, given: Pretrained | None, class_names: Sequence[str]
) -> tuple[dict[str, Tensor], str]:
    """A part of a detector, and in words what was taken: all of it, or nothing."""
    found = _below(part, given.parts()) if given is not None else {}
    if given is None or not found:
        return {}, "starts fresh"
    by_class, taken = _class_layers(part, own, class_names), {}
    for key, tensor in _below(part, own).items():
        ours = by_class.get(key)
        theirs = [*given.class_names, *ours[len(class_names) :]] if ours else []
        joined = _tensor(tensor, found.get(key), ours, theirs)
        if joined is None:
            return {}, f"starts fresh ({_why_not(key, tensor, found)} in {given.origin})"
        taken[key] = joined
    return taken, _classes_said(class_names, given) if by_class else f"from {given.origin}"


def _below(part: str, state: State) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if key.startswith(part)}


def _class_layers(part: str, own: State, class_names: Sequence[str]) -> dict[str, Rows]:
    """The last layers of a head, which have rows for each class, and whose these are.

    The box head has logits, the background's at the end, and four deltas a class; the mask head's last layer
    has a mask a class, or a single one for all.
    """
    kinds = ("weight", "bias")
    if part == "box_head.":
        logits: dict[str, Rows] = {f"{part}logits.{kind}": [*class_names, BACKGROUND] for kind in kinds}
        return {**logits, **{f"{part}deltas.{kind}": [*class_names] for kind in kinds}}
    if part != "mask_head.":
        return {}
    last = list(_below(part, own))[-1].rpartition(".")[0]
    keys = (f"{last}.{kind}" for kind in kinds)
    return {key: [*class_names] for key in keys if key in own and len(own[key]) == len(class_names)}


def _tensor(tensor: Tensor, given: Tensor | None, ours: Rows | None, theirs: Rows) -> Tensor | None:
    """The given one in its place; of a last layer the rows that both know. None where it does not fit."""
    if given is None or given.shape[1:] != tensor.shape[1:]:
        return None
    if ours is None:
        return given if given.shape == tensor.shape else None
    each = len(tensor) // len(ours)
    if len(given) != each * len(theirs):
        return None
    joined = tensor.clone()
    for row, name in enumerate(ours):
        if name in theirs:
            place = theirs.index(name)
            joined[row * each : (row + 1) * each] = given[place * each : (place + 1) * each]
    return joined


def _classes_said(class_names: Sequence[str], given: Pretrained) -> str:
    known = [name for name in class_names if name in given.class_names]
    new = [name for name in class_names if name not in known]
    fresh = f"; {', '.join(new)} {'starts' if len(new) == 1 else 'start'} fresh" if new else ""
    if not known:
        return f"from {given.origin}, which knows none of the {len(class_names)} classes{fresh}"
    return (
        f"{len(known)} of {len(class_names)} classes by name ({', '.join(known)}) from {given.origin}{fresh}"
    )


def _why_not(key: str, tensor: Tensor, found: State) -> str:
    if key not in found:
        return f"{key} is missing"
    return f"{key} is of {tuple(found[key].shape)} numbers, not {tuple(tensor.shape)},"
