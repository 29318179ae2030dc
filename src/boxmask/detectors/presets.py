"""Presets: config values by model and name.

"default" is each config as it stands, which suits small photos on a CPU. "paper" holds the values of the
paper; its section stands where the value is not in the config's own comments.
"""

from __future__ import annotations

from boxmask.pipeline.features.extra_layers import Row
from boxmask.pipeline.selective_search.modes import PAPER_MODES

Presets = dict[str, dict[str, object]]

RCNN: Presets = {
    "default": {},
    "paper": {  # with VGG16 ("O-Net", section 3.3)
        "backbone": "vgg16",
        "shorter_side": 600,
        "longer_side": 1000,
        "antialias": False,
        "search": PAPER_MODES["fast"],
        "region_size": 224,
        "context": 16,
        "hidden": 4096,
    },
}

FAST_RCNN: Presets = {
    "default": {},
    "paper": {  # sections 2 and 4, with VGG16
        "backbone": "vgg16",
        "shorter_side": 600,
        "longer_side": 1000,
        "antialias": False,
        "search": PAPER_MODES["fast"],
        "multiple_of": 16,
        "hidden": 4096,
    },
}

FASTER_RCNN: Presets = {
    "default": {},
    "fpn": {  # Lin et al. 2017, sections 4 and 5, as trained by Detectron and torchvision
        "shorter_side": 800,
        "longer_side": 1333,
        "antialias": False,
        "multiple_of": 32,  # Detectron, torchvision; P6's anchors then lie up to half a cell off
        "strides": (4, 8, 16, 32),
        "channels": 256,
        "anchor_sizes": ((32,), (64,), (128,), (256,), (512,)),
        "rpn_channels": 256,
        "train_proposals": (2000, 2000),
        "test_proposals": (1000, 1000),
        "canonical_size": (224, 16),
        "hidden": 1024,
        "roi_samples": 512,
    },
    "paper": {  # Ren et al. 2015 with VGG16: one map, nine anchors, RoI max pooling
        "backbone": "vgg16",
        "shorter_side": 600,
        "longer_side": 1000,
        "antialias": False,
        "multiple_of": 16,
        "strides": (16,),
        "channels": 0,
        "anchor_sizes": ((128, 256, 512),),
        "rpn_channels": 512,
        "rpn_train_border_anchors": False,
        "train_proposals": (12000, 2000),  # 2000: section 3.3; 12000: py-faster-rcnn
        "test_proposals": (6000, 300),
        "roi_max_pool": True,
        "hidden": 4096,
        "roi_beta": 1.0,
        "nms_iou": 0.3,
    },
}

_FIGURE_4: dict[str, object] = {"mask_depth": 4, "mask_channels": 256}

MASK_RCNN: Presets = {
    "default": {},
    "fpn": {**FASTER_RCNN["fpn"], **_FIGURE_4},  # any backbone, as trained by Detectron and torchvision
    "paper": {**FASTER_RCNN["fpn"], **_FIGURE_4, "backbone": "resnet50"},  # section 3.1: ResNet-50-FPN
}

RETINANET: Presets = {
    "default": {},
    "paper": {  # sections 4 and 5, with ResNet-50
        "backbone": "resnet50",
        "shorter_side": 800,
        "longer_side": 1333,
        "antialias": False,
        "multiple_of": 128,
        "channels": 256,
        "extra_levels": 2,
        "anchor_sizes": tuple(  # three per level: times 1, 2^1/3 and 2^2/3
            tuple(side * 2 ** (third / 3) for third in range(3)) for side in (32, 64, 128, 256, 512)
        ),
        "tower_depth": 4,
        "tower_channels": 256,
        "norm_groups": 0,
        "giou_loss": False,
        "pre_nms_top_k": 1000,
    },
}

FCOS: Presets = {
    "default": {},
    "paper": {  # sections 3 and 4 with the improvements, with ResNet-50
        "backbone": "resnet50",
        "shorter_side": 800,
        "longer_side": 1333,
        "antialias": False,
        "multiple_of": 128,
        "channels": 256,
        "extra_levels": 2,
        "tower_depth": 4,
        "tower_channels": 256,
        "norm_groups": 32,
        "exponential_distances": False,
        "regress_ranges": (64, 128, 256, 512),
        "pre_nms_top_k": 1000,
    },
}

_EXTRA_LAYERS_300: tuple[Row, ...] = ((512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 1, 0), (256, 3, 1, 0))
_EXTRA_LAYERS_512: tuple[Row, ...] = (
    (512, 3, 2, 1),
    (256, 3, 2, 1),
    (256, 3, 2, 1),
    (256, 3, 2, 1),
    (256, 4, 1, 1),
)
_SCALES_300 = (0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05)  # the authors' code for VOC; section 3.1
_SCALES_512 = (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05)  # the same
_RATIOS_512 = ((2,), (2, 3), (2, 3), (2, 3), (2, 3), (2,), (2,))

SSD: Presets = {
    "default": {},
    "300": {  # any backbone, with maps of 38, 19, 10, 5, 3 and 1 cells per side like the paper's
        "shorter_side": 300,
        "longer_side": 500,
        "extra_layers": _EXTRA_LAYERS_300[:3],
        "depthwise": False,
        "scales": _SCALES_300,
    },
    "512": {  # any backbone, with maps of 64, 32, 16, 8, 4, 2 and 1 cells per side like the paper's
        "shorter_side": 512,
        "longer_side": 853,
        "extra_layers": _EXTRA_LAYERS_512[1:],
        "depthwise": False,
        "scales": _SCALES_512,
        "aspect_ratios": _RATIOS_512,
    },
    "paper": {  # SSD300 with VGG16, section 3
        "backbone": "vgg16",
        "shorter_side": 300,
        "longer_side": 500,
        "antialias": False,
        "feature_source": "atrous",
        "extra_layers": _EXTRA_LAYERS_300,
        "depthwise": False,
        "scales": _SCALES_300,
        "default_box_strides": (8, 16, 32, 64, 100, 300),  # the authors' code
    },
    "paper-512": {  # SSD512 with VGG16, section 3
        "backbone": "vgg16",
        "shorter_side": 512,
        "longer_side": 853,
        "antialias": False,
        "feature_source": "atrous",
        "extra_layers": _EXTRA_LAYERS_512,
        "depthwise": False,
        "scales": _SCALES_512,
        "aspect_ratios": _RATIOS_512,
        "default_box_strides": (8, 16, 32, 64, 128, 256, 512),
    },
}
