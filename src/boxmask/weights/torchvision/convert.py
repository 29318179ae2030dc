"""Networks from torchvision's weights: the same numbers under our names, so that both can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.errors import WeightsError
from boxmask.segmenters.contract import Segmenter
from boxmask.weights.torchvision import dense, faster_rcnn, mask_rcnn, segmenters, ssd
from boxmask.weights.torchvision.dense import dense_from_torchvision
from boxmask.weights.torchvision.faster_rcnn import faster_rcnn_from_torchvision
from boxmask.weights.torchvision.mask_rcnn import mask_rcnn_from_torchvision
from boxmask.weights.torchvision.segmenters import segmenter_from_torchvision
from boxmask.weights.torchvision.ssd import ssd_from_torchvision

State = Mapping[str, Tensor]


class Network(NamedTuple):
    """How one of torchvision's networks becomes ours.

    class_count: its name and weights -> how many classes these know, without the background of detectors
    build:       its name, weights, class names and epsilon -> the detector or segmenter
    """

    class_count: Callable[[str, State], int]
    build: Callable[[str, State, tuple[str, ...], float | None], Detector | Segmenter]


FASTER_RCNN = Network(faster_rcnn.class_count, faster_rcnn_from_torchvision)
MASK_RCNN = Network(faster_rcnn.class_count, mask_rcnn_from_torchvision)
DENSE = Network(dense.class_count, dense_from_torchvision)
SSD = Network(ssd.class_count, ssd_from_torchvision)
SEGMENTER = Network(segmenters.class_count, segmenter_from_torchvision)
KNOWN: dict[str, Network] = {
    **dict.fromkeys(faster_rcnn.NAMES, FASTER_RCNN),
    **dict.fromkeys(mask_rcnn.NAMES, MASK_RCNN),
    **dict.fromkeys(dense.NAMES, DENSE),
    **dict.fromkeys(ssd.NAMES, SSD),
    **dict.fromkeys(segmenters.NAMES, SEGMENTER),
}


def from_torchvision(
    name: str,
    state_dict: State,
    class_names: tuple[str, ...] | None = None,
    batch_norm_eps: float | None = None,
) -> Detector | Segmenter:
    """A detector or segmenter of ours with the weights of torchvision's <name>, in evaluation mode.

    class_names:    the K classes without the background; default: COCO's where K fits, else "class 1"...
                    Of segmenters with it, and Pascal VOC's
                    RetinaNet and FCOS take K + 1 as well, the first of torchvision's column of the background
    batch_norm_eps: what torchvision adds to the variance; default: as its networks do, 1e-5 but for SSDLite.
                    Its COCO weights of fasterrcnn_resnet50_fpn, maskrcnn_resnet50_fpn and
                    retinanet_resnet50_fpn want 0.0, which it sets after loading them.
    Raises WeightsError for a name that is not known or weights of another network.
    """
    if name not in KNOWN:
        raise WeightsError(f"torchvision's {name!r} is not known here; known: {', '.join(KNOWN)}")
    network = KNOWN[name]
    count = network.class_count(name, state_dict)
    default_names = segmenters.class_names if network is SEGMENTER else _class_names
    names = class_names or default_names(count)
    if len(names) not in ((count, count + 1) if network is DENSE else (count,)):
        raise WeightsError(f"these weights know {count} classes, and {len(names)} class names were given")
    return network.build(name, state_dict, names, batch_norm_eps)


def _class_names(count: int) -> tuple[str, ...]:
    """COCO's names in torchvision's order, where the number fits; numbers mark the ids that COCO left out."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    coco = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"][1:]
    if count != len(coco):
        return tuple(f"class {label + 1}" for label in range(count))
    return tuple(f"N/A {label + 1}" if name == "N/A" else str(name) for label, name in enumerate(coco))
