"""R-CNN's stages on six photos: what each changes, and a process that is killed in one of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.detectors.rcnn import RCNN
from boxmask.runs.run import Run
from boxmask.training.rcnn import stages
from boxmask.training.train import resume
from boxmask.weights.checkpoint import load_detector

Staged = Callable[[str], Any]
Compare = Callable[..., bool]


def test_every_stage_changes_its_own_tensors(staged: Staged, equal_tensors: Compare) -> None:
    _, tuned, extracted, svms, regressors = staged("rcnn").ended
    assert not equal_tensors(staged("rcnn").began["fine-tuning"], tuned, "backbone.")
    assert equal_tensors(tuned, extracted)
    changed = {name for name in svms if not torch.equal(svms[name], extracted[name])}
    assert changed == {"svm_weights", "svm_biases", "calibration", "fitted"}
    changed = {name for name in svms if not torch.equal(svms[name], regressors[name])}
    assert changed == {"regressor_weights", "regressor_biases"}


def test_classes_with_a_single_example_are_learned(staged: Staged, six_photos: DetectionDataset) -> None:
    detector = load_detector(staged("rcnn").run.path)
    assert isinstance(detector, RCNN)
    counts = torch.from_numpy(np.bincount(six_photos.labels, minlength=len(six_photos.class_names)))
    learned = (detector.svm_weights != 0).any(dim=1)
    assert learned[counts == 1].all()
    assert torch.equal(learned, counts > 0)
    assert all(bool(tensor.isfinite().all()) for tensor in detector.state_dict().values())


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from boxmask.detectors.table import DETECTORS
from boxmask.training.rcnn import stages
from boxmask.runs.run import Run, read_recipe
from boxmask.training.train import train

sys.path.insert(0, {here!r})
from conftest import TINY

extract = stages._extract

def killed(session, detector, features, photo):
    if photo == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    extract(session, detector, features, photo)

stages._extract = killed
DETECTORS["rcnn"].presets["tiny"] = TINY["rcnn"]
torch.set_num_threads(1)
train({demo!r}, read_recipe(Run(Path({model!r})))[0], Path({run!r}))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_training_killed_while_extracting_features_reaches_the_same_weights(
    staged: Staged, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, equal_files: Compare
) -> None:
    training, run = staged("rcnn"), Run(tmp_path / "run")
    here = str(Path(__file__).parents[1])
    program = KILLED.format(here=here, demo=str(demo), model=str(training.run.path), run=str(run.path))
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", program], env={**os.environ, **threads}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert json.loads((run.intermediate / "features" / "done.json").read_text())["photos"] == 3
    load_detector(run.path)
    extracted, extract = list[int](), stages._extract
    monkeypatch.setattr(stages, "_extract", lambda *args: (extracted.append(args[3]), extract(*args)))
    assert resume(run)
    assert extracted == [3, 4, 5]
    assert equal_files(run.last_checkpoint, training.run.last_checkpoint)
