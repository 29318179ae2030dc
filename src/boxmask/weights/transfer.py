"""Initialize a network from trained ones: from parts of a detector, from the backbone of a classifier.

    Faster R-CNN  -> backbone, pyramid, RPN, box head     \\
    Mask R-CNN    -> the same, and the mask head           } Mask R-CNN (or Faster R-CNN)
    a classifier  -> backbone, instead of the detector's  /

Segmenters and classifiers take the backbone only.

The backbone takes every tensor that fits. Other parts are transferred whole, if every tensor is there in the
right shape, or not at all. The rows of the last layers are matched by class name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from boxmask.errors import CheckpointError, WeightsError
from boxmask.names import class_name
from boxmask.options import option
from boxmask.pipeline.features.backbone import Backbone
from boxmask.weights.checkpoint import checkpoint_path, read_checkpoint
from boxmask.weights.imagenet import backbone_weights

FASTER_RCNN = "boxes."  # prefix of the Faster R-CNN inside a Mask R-CNN
BACKBONE = "backbone."
PARTS = {"fpn.": "pyramid", "rpn_head.": "RPN", "box_head.": "box head", "mask_head.": "mask head"}
BACKGROUND = None  # the background, among the classes of a layer's rows
NEW = "newly initialized"

RowClasses = Sequence[str | None]  # the class of each row, or group of rows, of a last layer
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Pretrained:
    """Weights to initialize a network from.

    origin:      what they are, for messages
    backbone:    timm's name of their backbone
    state:       state dict of a detector, segmenter or classifier of boxmask, or of a whole network of timm
    class_names: the classes that they were trained on
    model:       the method, as in `models.table`; "" for a backbone
    """

    origin: str
    backbone: str
    state: State
    class_names: tuple[str, ...] = ()
    model: str = ""

    def __post_init__(self) -> None:
        """Bring the class names to the form in which they are compared."""
        object.__setattr__(self, "class_names", tuple(map(class_name, self.class_names)))

    @staticmethod
    def from_run(run: str | Path) -> Pretrained:
        """From a run folder or checkpoint. Raises CheckpointError if it is missing or damaged."""
        path = checkpoint_path(Path(run))
        tensors, metadata = read_checkpoint(path)
        class_names = metadata.config.get("class_names", ())
        if not (isinstance(class_names, list | tuple) and all(isinstance(name, str) for name in class_names)):
            raise CheckpointError(f"{path}: expected class names as a list, found {str(class_names)[:60]}")
        backbone = str(metadata.config.get("backbone", ""))
        return Pretrained(
            f"the {metadata.model} of {run}", backbone, tensors, tuple(class_names), metadata.model
        )

    @staticmethod
    def from_timm(file: str | Path, backbone: str) -> Pretrained:
        """From a file with the weights of a whole timm network. Raises WeightsError if it cannot be read."""
        return Pretrained(f"the weights in {file}", backbone, backbone_weights(backbone, str(file)) or {})

    def faster_rcnn_state(self) -> dict[str, Tensor]:
        """The state dict with Faster R-CNN's keys, also for a Mask R-CNN."""
        return {key.removeprefix(FASTER_RCNN): tensor for key, tensor in self.state.items()}


def transfer_weights(
    network: nn.Module, *, detector: Pretrained | None = None, classifier: Pretrained | None = None
) -> dict[str, str]:
    """Initialize a newly built network from trained ones, and return the origin of each part in words.

    detector:   source of every part that it has
    classifier: source of the backbone, instead of the detector's

    Parts without a source keep their initial weights.
    Raises WeightsError, before anything is changed, if a source has another backbone than the network, or one
    of which no tensor fits.
    """
    prefix = FASTER_RCNN if hasattr(network, "boxes") else ""
    model: Any = getattr(network, "boxes", network)  # the module that holds config and backbone
    state = network.state_dict()
    target = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    for source, name in ((detector, "detector"), (classifier, "classifier")):
        if source is not None:
            _check_backbone(source, model.config.backbone, name)
    class_names = [class_name(name) for name in model.config.class_names]
    report = {}
    new, report["backbone"] = _transfer_backbone(target, classifier or detector, model.backbone)
    for part, name in PARTS.items():
        if any(key.startswith(part) for key in target):
            tensors, report[name] = _transfer_part(part, target, detector, class_names)
            new |= tensors
    network.load_state_dict({key: new.get(key.removeprefix(prefix), tensor) for key, tensor in state.items()})
    return report


def _select(part: str, state: State) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if key.startswith(part)}


# ---------------------------------------------------------------- backbone


def _check_backbone(source: Pretrained, backbone: str, name: str) -> None:
    if source.backbone != backbone:
        raise WeightsError(
            f"{option(name)}: {source.origin} has backbone {source.backbone}, but the new network has "
            f"{backbone}. Use {option('backbone', source.backbone)}, or train the source with "
            f"{option('backbone', backbone)}."
        )


def _transfer_backbone(
    target: State, source: Pretrained | None, backbone: nn.Module
) -> tuple[dict[str, Tensor], str]:
    """The tensors of the source's backbone that fit, and their origin in words."""
    if source is None:
        return {}, "unchanged"
    wanted = _select(BACKBONE, target)
    found = _select(BACKBONE, source.faster_rcnn_state()) or _from_timm(source, backbone)
    fitting = {key: found[key] for key in wanted if key in found and found[key].shape == wanted[key].shape}
    if not any(key.endswith("weight") for key in fitting):
        raise WeightsError(
            f"{source.origin}: none of its weights fit the backbone {source.backbone} of the new network. "
            "Give the run of a classifier or a detector, or a file with timm's weights."
        )
    origin = f"from {source.origin} ({source.backbone})"
    missing = len(wanted) - len(fitting)
    if missing:
        origin += f"; {missing} of {len(wanted)} tensors are not in it and stay unchanged"
    return fitting, origin


def _from_timm(source: Pretrained, backbone: nn.Module) -> dict[str, Tensor]:
    """timm's weights with our keys and batch norm folded; empty if the backbone is not one of timm's."""
    if not isinstance(backbone, Backbone):
        return {}
    built = Backbone(source.backbone, backbone.strides, dict(source.state))
    return {BACKBONE + key: tensor for key, tensor in built.state_dict().items()}


# ---------------------------------------------------------------- pyramid and heads


def _transfer_part(
    part: str, target: State, source: Pretrained | None, class_names: Sequence[str]
) -> tuple[dict[str, Tensor], str]:
    """All tensors of a part or none, and their origin in words."""
    found = _select(part, source.faster_rcnn_state()) if source is not None else {}
    if source is None or not found:
        return {}, NEW
    class_layers, transferred = _class_layers(part, target, class_names), {}
    for key, tensor in _select(part, target).items():
        if key not in found:
            return {}, f"{NEW} ({key} is missing in {source.origin})"
        merged = _merge(tensor, found[key], source.class_names, class_layers.get(key))
        if merged is None:
            shapes = f"shape {tuple(found[key].shape)} in {source.origin}, expected {tuple(tensor.shape)}"
            return {}, f"{NEW} ({key} has {shapes})"
        transferred[key] = merged
    return transferred, _class_report(class_names, source) if class_layers else f"from {source.origin}"


def _class_layers(part: str, target: State, class_names: Sequence[str]) -> dict[str, RowClasses]:
    """The tensors of a head's last layers, which have rows for each class, and the classes of these rows.

    The box head has one logit per class and the background's at the end, and four deltas per class. The mask
    head's last layer has one mask per class, or one for all classes.
    """
    kinds = ("weight", "bias")
    if part == "box_head.":
        logits: dict[str, RowClasses] = {f"{part}logits.{kind}": [*class_names, BACKGROUND] for kind in kinds}
        return logits | {f"{part}deltas.{kind}": class_names for kind in kinds}
    if part != "mask_head.":
        return {}
    last_layer = list(_select(part, target))[-1].rpartition(".")[0]
    keys = [f"{last_layer}.{kind}" for kind in kinds]
    return {key: class_names for key in keys if key in target and len(target[key]) == len(class_names)}


def _merge(
    tensor: Tensor, found: Tensor, source_names: Sequence[str], row_classes: RowClasses | None
) -> Tensor | None:
    """The source's tensor; in a last layer, its rows of the classes that both know. None if it does not fit.

    row_classes: of the target's rows; None for a layer without classes
    """
    if row_classes is None:
        return found if found.shape == tensor.shape else None
    num_backgrounds = row_classes.count(BACKGROUND)
    source_classes = [*source_names, *[BACKGROUND] * num_backgrounds]
    rows = len(tensor) // len(row_classes)  # per class
    if found.shape[1:] != tensor.shape[1:] or len(found) != rows * len(source_classes):
        return None
    merged = tensor.clone()
    for index, name in enumerate(row_classes):
        if name in source_classes:
            source_index = source_classes.index(name)
            merged[index * rows : (index + 1) * rows] = found[source_index * rows : (source_index + 1) * rows]
    return merged


def _class_report(class_names: Sequence[str], source: Pretrained) -> str:
    known = [name for name in class_names if name in source.class_names]
    unknown = [name for name in class_names if name not in source.class_names]
    rest = f"; {', '.join(unknown)} {NEW}" if unknown else ""
    if not known:
        return f"from {source.origin}, which has none of the {len(class_names)} classes{rest}"
    names = ", ".join(known)
    return f"{len(known)} of {len(class_names)} classes by name ({names}) from {source.origin}{rest}"
