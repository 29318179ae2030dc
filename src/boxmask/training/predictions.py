"""predictions/: what the model finds in a few validation photos, drawn after each validation.

The photos are the same each time, so that the pictures show how the model learns.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from PIL import Image

from boxmask.atomic_write import atomic_write
from boxmask.errors import OutputError
from boxmask.outputs.marks import MARK
from boxmask.training.loader import READ_ERRORS
from boxmask.training.validation_plan import sample_photos

if TYPE_CHECKING:
    from torch import Tensor

    from boxmask.training.session import Session

NUM_PHOTOS = 4
MAX_SHARE = 0.01  # of the minutes, for one picture
JPEG_QUALITY = 85


def write_predictions(session: Session, progress: float) -> None:
    """Draw what the model finds at `progress` in 0..1 into predictions/validation-PERCENT.jpg.

    The time counts as that of validations. Where the minutes are short, there are fewer photos, or none.
    """
    with session.timed_validation():
        images = _images(session, _num_photos(session))
        if not images:
            return
        network: Any = session.state.result.eval()
        results = [network.predict(image) for image in images]
        picture = Image.fromarray(session.task.draw_results(images, results))
        file = session.run.predictions / f"validation-{round(100 * progress):03d}.jpg"
        try:
            with atomic_write(file) as partial:
                picture.save(partial, "JPEG", quality=JPEG_QUALITY, comment=MARK)
        except OutputError as error:
            session.report.message(f"warning: {error} The run lacks this picture of predictions.")


def _num_photos(session: Session) -> int:
    """The number of photos that the time is enough for."""
    minutes, seconds = session.recipe.minutes, session.state.validations.seconds_per_photo
    if minutes is None or not seconds:
        return NUM_PHOTOS
    return min(NUM_PHOTOS, int(MAX_SHARE * 60 * minutes / seconds))


def _images(session: Session, count: int) -> list[Tensor]:
    """The first photos of a fixed order, as the network sees them. Those that cannot be read are left out."""
    photos, config, images = session.val, session.state.network.config, list[Any]()
    for photo in islice(sample_photos(len(photos), min(NUM_PHOTOS, len(photos)), session.recipe.seed), count):
        try:
            images.append(session.task.sample(photos, int(photo), config)[0])
        except READ_ERRORS:  # the next validation reports it
            continue
    return images
