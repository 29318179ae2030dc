"""Other tiles for a segmenter that sees photos in tiles."""

from __future__ import annotations

from boxmask.errors import UsageError
from boxmask.options import model_option, option
from boxmask.pipeline.model import with_config
from boxmask.prediction.view_options import ViewOptions
from boxmask.segmenters.contract import Segmenter


def with_tiles(model: Segmenter, views: ViewOptions) -> Segmenter:
    """The segmenter with the chosen tiles, or with its own for "auto".

    Raises UsageError for a segmenter that sees whole photos: in tiles, objects would be larger than in
    its training.
    """
    if not model.config.tile:
        raise UsageError(
            f"{option('tiles')}: this segmenter was trained on whole photos. Leave the option out, or train "
            f"with {model_option('tile', 512)}."
        )
    if not isinstance(views.tiles, int):
        return model
    if not isinstance(model, Segmenter):
        raise UsageError(
            f"{option('tiles')}: the tiles of an ONNX file cannot be changed. Leave the option out, or use "
            "the run that it was exported from."
        )
    return with_config(model, tile=views.tiles, tile_overlap=views.tile_overlap)
