"""Compare the classes of photos in class folders with those that a classifier gives them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.classifiers.contract import Classifier
from boxmask.data.checks.examination import Examination
from boxmask.errors import PhotoError
from boxmask.evaluation.suspicions.comparison import Suspects
from boxmask.evaluation.suspicions.photo_comparison import UNKNOWN
from boxmask.evaluation.suspicions.suspicions import NO_BOX, Suspicions
from boxmask.evaluation.suspicions.thresholds import ClassMeans
from boxmask.photos.read import to_image
from boxmask.progress import Progress


def find_wrong_folders(
    classifier: Classifier,
    examination: Examination,
    labels_of_model: Int[np.ndarray, " M"],
    progress: Progress | None = None,
) -> Suspects:
    """Classify each photo, one after the other, and compare the class with that of its folder.

    labels_of_model: the model's label of each class of the data set, or UNKNOWN

    A photo is suspect if the score of another class is above the mean score of the photos labeled with that
    class, and above the score of the labeled class. Photos that cannot be read are left out.
    """
    labels, means, suspicions = (
        examination.labels,
        ClassMeans(len(classifier.class_names)),
        Suspicions(),
    )
    for row, photo in enumerate(labels.photo_of.tolist()):
        own_label = int(labels_of_model[labels.labels[row]])
        if own_label != UNKNOWN:
            try:
                result = classifier.predict(to_image(labels.root / labels.photos[photo].file))
            except PhotoError:  # already a finding about the photo
                pass
            else:
                own_score, label = float(result.scores[own_label]), result.label
                means.add(own_label, own_score)
                if label != own_label:
                    suspicion = (photo, row, label, result.score, own_label, own_score, 1.0, NO_BOX)
                    suspicions.add(suspicion)
        if progress is not None:
            progress(row + 1, len(labels.photo_of))
    return _suspects(suspicions, means)


def _suspects(suspicions: Suspicions, means: ClassMeans) -> Suspects:
    """The highest normalized margin first: the score of the class less that of the labeled one."""
    found, thresholds = suspicions.all(), means.values()
    sure = found[found["score"] >= thresholds[found["label"]]]
    order = np.argsort(sure["own_score"] - sure["score"], kind="stable")
    none = sure[:0]
    return Suspects(none, sure[order], none, np.isfinite(thresholds))
