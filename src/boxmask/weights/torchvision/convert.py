"""Networks with torchvision's weights, for comparison: the same weights under our names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.errors import WeightsError
from boxmask.messages import one_line
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.segmenters.contract import Segmenter
from boxmask.weights.torchvision import dense, faster_rcnn, mask_rcnn, segmenters, ssd
from boxmask.weights.torchvision.dense import dense_from_torchvision
from boxmask.weights.torchvision.faster_rcnn import faster_rcnn_from_torchvision
from boxmask.weights.torchvision.mask_rcnn import mask_rcnn_from_torchvision
from boxmask.weights.torchvision.segmenters import segmenter_from_torchvision
from boxmask.weights.torchvision.ssd import ssd_from_torchvision

State = Mapping[str, Tensor]


class Converter(NamedTuple):
    """How the weights of a torchvision network are converted.

    class_count: name, weights -> number of classes; detectors do not count the background
    build:       name, weights, class names, epsilon -> the detector or segmenter
    """

    class_count: Callable[[str, State], int]
    build: Callable[[str, State, tuple[str, ...], float | None], Detector | Segmenter]


FASTER_RCNN = Converter(faster_rcnn.class_count, faster_rcnn_from_torchvision)
MASK_RCNN = Converter(faster_rcnn.class_count, mask_rcnn_from_torchvision)
DENSE = Converter(dense.class_count, dense_from_torchvision)
SSD = Converter(ssd.class_count, ssd_from_torchvision)
SEGMENTER = Converter(segmenters.class_count, segmenter_from_torchvision)
CONVERTERS: dict[str, Converter] = {  # by torchvision's name of the network
    **dict.fromkeys(faster_rcnn.NETWORK_NAMES, FASTER_RCNN),
    **dict.fromkeys(mask_rcnn.NETWORK_NAMES, MASK_RCNN),
    **dict.fromkeys(dense.NETWORK_NAMES, DENSE),
    **dict.fromkeys(ssd.NETWORK_NAMES, SSD),
    **dict.fromkeys(segmenters.NETWORK_NAMES, SEGMENTER),
}


def from_torchvision(
    name: str,
    state_dict: State,
    class_names: tuple[str, ...] | None = None,
    batch_norm_eps: float | None = None,
) -> Detector | Segmenter:
    """Build the detector or segmenter of boxmask that equals torchvision's `name`, in evaluation mode.

    class_names:    the K classes, for detectors without the background and for segmenters with it. Default:
                    COCO's or Pascal VOC's if K fits, else "class 1", "class 2", ... For RetinaNet and FCOS,
                    K + 1 names give the background's logit a name too.
    batch_norm_eps: what torchvision adds to the variance. Default: as its networks do, 1e-5, or 1e-3 for
                    SSDLite. Pass 0.0 for torchvision's COCO weights of fasterrcnn_resnet50_fpn,
                    maskrcnn_resnet50_fpn and retinanet_resnet50_fpn, for which torchvision sets it to 0.
    Raises WeightsError for an unknown name, for weights of another network, and for a wrong number of names.
    """
    if name not in CONVERTERS:
        raise WeightsError(f"unknown torchvision network {name!r}; choose from: {', '.join(CONVERTERS)}")
    converter = CONVERTERS[name]
    count = converter.class_count(name, state_dict)
    default_names = segmenters.default_class_names if converter is SEGMENTER else _default_class_names
    names = class_names or default_names(count)
    if len(names) not in ((count, count + 1) if converter is DENSE else (count,)):
        raise WeightsError(f"class_names: these weights have {count} classes, found {len(names)} names")
    try:
        with SeededRandomNumbers(0):  # initial weights, which torchvision's replace
            return converter.build(name, state_dict, names, batch_norm_eps)
    except (RuntimeError, LookupError, ZeroDivisionError) as error:  # tensors missing, or of other shapes
        raise WeightsError(
            f"these are not the weights of torchvision's {name} ({one_line(error)})"
        ) from error


def _default_class_names(count: int) -> tuple[str, ...]:
    """COCO's classes in torchvision's order if there are as many, else "class 1", "class 2", ...

    Ids that COCO leaves out are "N/A" with their number, so that names differ.
    """
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    coco = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"][1:]
    if count != len(coco):
        return tuple(f"class {label + 1}" for label in range(count))
    return tuple(f"N/A {label + 1}" if name == "N/A" else str(name) for label, name in enumerate(coco))
