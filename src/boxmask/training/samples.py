"""samples.jpg: the first training photos as the network sees them, augmented and with their labels.

It shows at a glance whether the labels fit, and whether the augmentation suits the photos.
"""

from __future__ import annotations

from itertools import chain, islice

from PIL import Image

from boxmask.atomic_write import atomic_write
from boxmask.errors import OutputError
from boxmask.outputs.marks import MARK
from boxmask.results.pictures import JPEG_QUALITY
from boxmask.training.loader import BadSample, TrainingDataset
from boxmask.training.session import Session
from boxmask.training.setup import make_batch_sampler

NUM_SAMPLES = 12


def write_samples(session: Session) -> None:
    """Draw the first samples of the training into its run. A photo that cannot be read is left out."""
    task, recipe, config = session.task, session.recipe, session.state.network.config
    augmentation = task.combination(recipe, config, session.train.counts())
    dataset = TrainingDataset(session.train, task, config, augmentation, recipe.seed, cache_bytes=0)
    keys = islice(chain.from_iterable(make_batch_sampler(session, 0).batches(0)), NUM_SAMPLES)
    samples = [sample[:2] for sample in map(dataset.__getitem__, keys) if not isinstance(sample, BadSample)]
    if not samples:
        return
    picture = Image.fromarray(task.draw_samples(samples, session.train.class_names))
    try:
        with atomic_write(session.run.samples_file) as partial:
            picture.save(partial, "JPEG", quality=JPEG_QUALITY, comment=MARK)
    except OutputError as error:
        session.report.message(f"warning: {error} The run has no samples.")
