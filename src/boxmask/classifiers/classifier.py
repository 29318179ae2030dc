"""One class a photo: a backbone, the mean of its last map, and one linear layer.

    image -> features -> mean over the photo -> dropout -> logits -> softmax

The backbone is that of the detectors, under the same name and with the same keys, so that what it learned
here can be joined into a detector (`weights/transfer.py`).

A photo is fitted into a square, not squeezed, and padded at the right and the bottom. Its shape may tell its
class; and a detector, which shows its backbone undistorted objects and the same padding, gets features that
know both. The mean is taken over the photo alone: the padding would thin out those of long and narrow ones.

Shapes: B images, K classes, C channels of the last map, h and w its cells.
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
from boxmask.pipeline.images import Batch, Preparation, grid_of, prepare
from boxmask.types import Classification, ClassificationTarget


@dataclass(frozen=True)
class ClassifierConfig:
    """Every number of the classifier; the defaults suit a CPU.

    Raises UsageError for sides that are not 1 <= shorter <= longer, and for shares that are not below 1.
    """

    class_names: tuple[str, ...]
    backbone: str = "tf_efficientnet_lite0"
    # image
    shorter_side: int = 192  # networks for ImageNet: 224
    longer_side: int = 192  # of the photo, and the side of the padded square
    antialias: bool = True
    # features
    stride: int = 32  # of the last map
    # head
    dropout: float = 0.2  # Tan and Le 2019 (arXiv:1905.11946), section 5.2: 0.2 for the smallest network
    # loss
    label_smoothing: float = 0.1  # Szegedy et al. 2016 (arXiv:1512.00567), section 7

    def __post_init__(self) -> None:
        if not 1 <= self.shorter_side <= self.longer_side:
            sides = f"shorter side {self.shorter_side}, longer side {self.longer_side}"
            raise UsageError(f"classifier: {sides}; give 1 <= shorter <= longer")
        for name in ("dropout", "label_smoothing"):
            share = getattr(self, name)
            if not 0.0 <= share < 1.0:
                raise UsageError(f"classifier: {name} is {share}; give 0 or more and less than 1")

    @property
    def multiple_of(self) -> int:
        """Sides are padded to it: every photo to the same square, so that a batch may mix all shapes, and
        what is said of a photo does not depend on its neighbors.
        """
        return self.longer_side


PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "imagenet": {"shorter_side": 224, "longer_side": 224},  # what most backbones were pretrained on
}


class ImageClassifier(Classifier):
    """`predict` and `loss` read top to bottom; `forward` is the network.

    backbone_weights: a state dict of timm's network, or None for random numbers
    """

    config: ClassifierConfig

    def __init__(self, config: ClassifierConfig, backbone_weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, (config.stride,), backbone_weights)
        self.logits = nn.Linear(self.backbone.channels[-1], len(config.class_names))
        nn.init.normal_(self.logits.weight, std=0.01)
        nn.init.zeros_(self.logits.bias)

    # ------------------------------------------------------------------ the two ways through

    @accepts_photos
    @torch.inference_mode()
    def predict(self, images: list[Tensor]) -> list[Classification]:
        """Photos -> a score for each class."""
        batch = self.prepare(images)
        scores = self(batch.pixels, _sizes(batch)).float().softmax(dim=1)
        return [Classification(one, self.config.class_names) for one in scores]

    def loss(self, images: list[Tensor], targets: list[ClassificationTarget]) -> dict[str, Tensor]:
        """Log loss of the softmax, with dropout whatever the mode."""
        batch = self.prepare(images)
        pooled = self.pool(self.backbone(batch.pixels)[-1], _sizes(batch))
        logits = self.logits(F.dropout(pooled, self.config.dropout))
        labels = torch.tensor([target.label for target in targets], device=logits.device)
        return {"class": F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)}

    def forward(
        self, pixels: Float[Tensor, "B 3 H W"], sizes: Int[Tensor, "B 2"] | None = None
    ) -> Float[Tensor, "B K"]:
        """Pixels -> logits.

        sizes: (height, width) of each photo inside the padding; None: there is none
        """
        logits: Tensor = self.logits(self.pool(self.backbone(pixels)[-1], sizes))
        return logits

    # ------------------------------------------------------------------ image

    def prepare(self, images: list[Tensor]) -> Batch:
        """Fit into the square, normalize and pad."""
        return prepare(images, Preparation.of(self.config, self.backbone.mean, self.backbone.std))

    # ------------------------------------------------------------------ features

    def pool(self, x: Float[Tensor, "B C h w"], sizes: Int[Tensor, "B 2"] | None) -> Float[Tensor, "B C"]:
        """The mean over the cells of the last map in which the photo has a part."""
        if sizes is None:
            return x.mean(dim=(2, 3))
        covered = -(-sizes // self.config.stride)
        down, across = (torch.arange(side, device=x.device) for side in grid_of(x))
        inside = (down < covered[:, :1])[:, :, None] & (across < covered[:, 1:])[:, None, :]
        return (x * inside[:, None]).sum(dim=(2, 3)) / inside.sum(dim=(1, 2))[:, None]


def _sizes(batch: Batch) -> Int[Tensor, "B 2"]:
    return torch.tensor(batch.sizes, device=batch.pixels.device)
