"""Image classifier: a backbone, the mean of its last map, and one linear layer.

    image -> features -> mean over the photo -> dropout -> logits -> softmax

The backbone has the same name and keys as in the detectors, so that its weights can be transferred to them
(`weights/transfer.py`).

A photo is scaled to fit into a square, keeping its aspect ratio, and padded on the right and at the bottom.
The shape of a photo may be a hint to its class. Detectors also see undistorted objects and the same padding,
so the features suit them. The mean excludes the padding, which would dilute the features of narrow photos.

Shapes: B images, K classes, C channels of the last map, which has h x w cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.classifiers.contract import Classifier
from boxmask.errors import UsageError
from boxmask.photos.read import accepts_photos
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.images import Batch, Preparation, prepare, spatial_size
from boxmask.types import Classification, ClassificationTarget


@dataclass(frozen=True)
class ClassifierConfig:
    """Hyperparameters of the classifier; the defaults suit a CPU.

    Raises UsageError unless 1 <= shorter_side <= longer_side, and dropout and label_smoothing are in [0, 1).
    """

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 192  # usual for ImageNet: 224
    longer_side: int = 192  # also the side of the padded square
    antialias: bool = True
    # features
    stride: int = 32  # of the last map
    # head
    dropout: float = 0.2  # as the smallest network of Tan and Le 2019 (arXiv:1905.11946), section 5.2
    # loss
    label_smoothing: float = 0.1  # Szegedy et al. 2016 (arXiv:1512.00567), section 7

    def __post_init__(self) -> None:
        if not 1 <= self.shorter_side <= self.longer_side:
            sides = f"shorter_side {self.shorter_side}, longer_side {self.longer_side}"
            raise UsageError(f"classifier: {sides}: expected 1 <= shorter_side <= longer_side")
        for name in ("dropout", "label_smoothing"):
            fraction = getattr(self, name)
            if not 0.0 <= fraction < 1.0:
                raise UsageError(f"classifier: {name}: expected 0 or more and below 1, found {fraction}")

    @property
    def multiple_of(self) -> int:
        """Sides are padded to a multiple of this: all photos to the same square.

        So the scores of a photo do not depend on the shapes of the others in its batch.
        """
        return self.longer_side


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "imagenet": {"shorter_side": 224, "longer_side": 224},  # the size in pretraining of most backbones
}


class ImageClassifier(Classifier):
    """`predict` and `loss` read top to bottom; `forward` is the network.

    backbone_weights: state dict of timm's network, or None for random weights
    """

    config: ClassifierConfig

    def __init__(self, config: ClassifierConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        self.logits = nn.Linear(self.backbone.channels[-1], len(config.class_names))
        nn.init.normal_(self.logits.weight, std=0.01)
        nn.init.zeros_(self.logits.bias)

    # ------------------------------------------------------------------ predict and loss

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[Classification]:
        """Photos -> the class scores of each."""
        batch = self.prepare(images)
        scores = self(batch.pixels, _sizes(batch)).float().softmax(dim=1).numpy(force=True)
        return [Classification(photo_scores, self.config.class_names) for photo_scores in scores]

    def loss(self, images: list[Tensor], targets: list[ClassificationTarget]) -> dict[str, Tensor]:
        """The softmax cross-entropy with label smoothing. Dropout is active in both modes."""
        batch = self.prepare(images)
        pooled = self.pool(self.backbone(batch.pixels)[-1], _sizes(batch))
        logits = self.logits(F.dropout(pooled, self.config.dropout))
        labels = torch.tensor([target.label for target in targets], device=logits.device)
        return {"class": F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)}

    def forward(
        self, pixels: Float[Tensor, "B 3 H W"], sizes: Int[Tensor, "B 2"] | None = None
    ) -> Float[Tensor, "B K"]:
        """Normalized pixels -> logits.

        sizes: (height, width) of each photo inside the padding; None: no padding
        """
        logits: Tensor = self.logits(self.pool(self.backbone(pixels)[-1], sizes))
        return logits

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Scale to fit into the square, normalize and pad."""
        return prepare(images, Preparation.from_config(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features

    def pool(self, x: Float[Tensor, "B C h w"], sizes: Int[Tensor, "B 2"] | None) -> Float[Tensor, "B C"]:
        """The mean over the cells of the last map that the photo covers, at least in part."""
        if sizes is None:
            return x.mean(dim=(2, 3))
        covered = -(-sizes // self.config.stride)
        down, across = (torch.arange(side, device=x.device) for side in spatial_size(x))
        inside = (down < covered[:, :1])[:, :, None] & (across < covered[:, 1:])[:, None, :]
        return (x * inside[:, None]).sum(dim=(2, 3)) / inside.sum(dim=(1, 2))[:, None]


def _sizes(batch: Batch) -> Int[Tensor, "B 2"]:
    return torch.tensor(batch.sizes, device=batch.pixels.device)
