"""D-RISE: which parts of a photo a detection depends on, for any detector, from its results alone.

Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021 (arXiv:2006.03204).

    random masks -> masked copies of the photo -> detections -> similarity to the explained ones -> map

A part matters if the detection is found again more often while that part is visible. The map is the
covariance of a part's visibility with the similarity. The paper's mean of the masks, weighted by the
similarity, is this map plus the mean mask times the mean similarity, and so needs thousands of masks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors.contract import Detector
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.results import shown_count
from boxmask.explaining.inputs import sheet
from boxmask.explaining.photo_view import PhotoView
from boxmask.geometry.boxes import iou
from boxmask.pipeline.images import resized_size, spatial_size
from boxmask.progress import Progress
from boxmask.types import Detections
from boxmask.visualization.heat_maps import append_scale

GRID = 16  # cells of a mask along each side; section 4.1
VISIBLE = 0.5  # probability that a cell is visible; section 4.1
MAX_SIDE = 640  # of the masked copies, in pixels; networks resize photos anyway
MAX_OBJECTS = 4


def saliency_stage(
    model: Detector,
    view: PhotoView,
    detections: Detections,
    num_masks: int,
    progress: Progress | None = None,
) -> Stage | None:
    """What the first detections depend on; None if there is no detection."""
    count = min(MAX_OBJECTS, shown_count(view, detections))
    if not count:
        return None
    shown = detections[:count]
    maps = saliency_maps(model, view.image, shown, num_masks, progress)
    pictures = {}
    for index, (name, score, box) in enumerate(
        zip(shown.names, shown.scores.tolist(), shown.boxes, strict=True)
    ):
        heat = view.heat(maps[index], None, (0.0, max(float(maps[index].max()), 1e-9)))
        pictures[f"{index + 1}. {name} {score:.2f}"] = view.draw(box[None], [0], thick=True, on=heat)
    text = (
        f"Parts of the photo were hidden at random in {num_masks:,} copies (D-RISE). Bright parts matter: "
        "the detection in the box was found again more often, and with a higher score, while they were "
        "visible. A bright part outside of the object tells that the detector relies on its surroundings. "
        "In each picture, 1 is the part that matters most."
    )
    data = {
        "maps": maps,
        "boxes": shown.boxes,
        "names": shown.names,
        "scores": shown.scores,
        "copies": num_masks,
    }
    picture = append_scale(sheet(pictures), (0.0, 1.0))
    return Stage("saliency", "What the detections depend on", text, picture, data)


@torch.inference_mode()
def saliency_maps(
    model: Detector,
    image: Tensor,
    detections: Detections,
    num_masks: int,
    progress: Progress | None = None,
    seed: int = 0,
) -> Float[np.ndarray, "D h w"]:
    """A map per detection: how much its parts matter, at the size of the masked copies."""
    photo = _shrink(image)
    size, generator = spatial_size(photo), torch.Generator().manual_seed(seed)
    scale = torch.tensor([size[1] / image.shape[2], size[0] / image.shape[1]] * 2)
    targets = torch.from_numpy(detections.boxes) * scale
    labels = torch.from_numpy(detections.labels)
    hidden = photo.mean(dim=(1, 2), keepdim=True)
    options = _fixed_proposals(model, photo)
    visible, products = torch.zeros(size), torch.zeros(len(targets), *size)
    similarity_sum = torch.zeros(len(targets))
    for number in range(num_masks):
        mask = random_mask(size, generator)
        found = model.predict([hidden + (photo - hidden) * mask], **options)[0]
        similarity = similarities(targets, labels, found)
        visible += mask
        similarity_sum += similarity
        products += similarity[:, None, None] * mask
        if progress is not None:
            progress(number + 1, num_masks)
    covariance = products / num_masks - (similarity_sum / num_masks)[:, None, None] * visible / num_masks
    return np.asarray(covariance.numpy(), np.float32)


def random_mask(size: tuple[int, int], generator: torch.Generator) -> Float[Tensor, "H W"]:
    """Cells that are visible (1) or hidden (0) at random, enlarged smoothly and shifted at random."""
    cells = (torch.rand(GRID, GRID, generator=generator) < VISIBLE).float()
    cell = [-(-side // GRID) for side in size]
    enlarged = F.interpolate(
        cells[None, None], size=[(GRID + 1) * side for side in cell], mode="bilinear", align_corners=False
    )[0, 0]
    top, left = (int(torch.randint(side, (1,), generator=generator)) for side in cell)
    return enlarged[top : top + size[0], left : left + size[1]]


def similarities(boxes: Float[Tensor, "D 4"], labels: Tensor, found: Detections) -> Float[Tensor, " D"]:
    """For each explained detection, the best IoU times score of a found one of its class; 0 without any."""
    if not len(found):
        return torch.zeros(len(boxes))
    same = labels[:, None] == torch.from_numpy(found.labels)
    overlaps = iou(boxes, torch.from_numpy(found.boxes)) * torch.from_numpy(found.scores) * same
    return overlaps.amax(dim=1)


def _shrink(image: Tensor) -> Float[Tensor, "3 H W"]:
    """The photo on the CPU in 0..1, with at most MAX_SIDE pixels along its longer side."""
    photo = image.cpu().float() / (255.0 if image.dtype == torch.uint8 else 1.0)
    if max(spatial_size(photo)) <= MAX_SIDE:
        return photo
    size = resized_size(spatial_size(photo), MAX_SIDE, MAX_SIDE)
    return F.interpolate(photo[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)


def _fixed_proposals(model: Detector, photo: Tensor) -> dict[str, Any]:
    """Proposals of the photo without masks, for detectors that search for seconds."""
    search = getattr(model, "propose", None) if hasattr(model.config, "search") else None
    return {} if search is None else {"proposals": search([photo])}
