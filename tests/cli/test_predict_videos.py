from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import boxmask as package
from boxmask.prediction.video import frames

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """Six frames of one photo."""
    import av

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    photo = Image.open(demo / "images" / "train-00001.jpg").convert("RGB")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *photo.size, "yuv420p"
        for number in range(6):
            frame = av.VideoFrame.from_image(photo)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_video_becomes_an_annotated_video_and_a_table(
    boxmask: Callable[..., Any], here: Path, trained: Path, clip: Path
) -> None:
    completed = boxmask("predict", trained, clip, "--min-score", "0.06", "--every", "2", "--no-track")
    assert (completed.status, completed.err) == (0, "")
    summary, folder = completed.out.splitlines()
    with (here / "predictions" / "clip.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["frame"] for row in rows} <= {"0", "2", "4"}
    count = f"{len(rows)} detection" + "s" * (len(rows) != 1)
    assert summary == f"{clip}: 3 frames, 0:00.4, {count}"
    assert folder == "predictions"
    assert (here / "predictions" / "clip.mp4").is_file()


def test_python_gives_the_same(boxmask: Callable[..., Any], here: Path, trained: Path, clip: Path) -> None:
    boxmask("predict", trained, clip, "--min-score", "0.06", "--save", "csv,jsonl")
    prediction = package.predict_video(trained, clip, here / "python", min_score=0.06, save=["csv", "jsonl"])
    assert [file.name for file in prediction.files] == ["clip.csv", "clip.jsonl"]
    for file in prediction.files:
        assert file.read_bytes() == (here / "predictions" / file.name).read_bytes()


def test_ctrl_c_completes_the_files(
    boxmask: Callable[..., Any], here: Path, trained: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupting(frame: Any, *rest: Any) -> Any:
        if frame.number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return predicted(frame, *rest)

    predicted = frames._predicted
    monkeypatch.setattr(frames, "_predicted", interrupting)
    completed = boxmask("predict", trained, clip)
    assert completed.status == 130
    assert completed.err == "stopped. The files are complete up to the last predicted frame.\n"
    assert ": 3 frames" in completed.out
    assert (here / "predictions" / "clip.mp4").is_file()


def test_wrong_usage_and_bad_videos(
    boxmask: Callable[..., Any], refused: Refused, here: Path, trained: Path, clip: Path, demo: Path
) -> None:
    mixed = refused(2, "predict", trained, clip, demo / "images")
    assert "Predict videos and photos in separate calls" in mixed
    assert "--resume does not work for videos" in refused(2, "predict", trained, clip, "--resume")
    assert "--save: expected mp4, csv or jsonl for videos, found png" in refused(
        2, "predict", trained, clip, "--save", "png"
    )
    (here / "bad.mp4").write_text("hello\n" * 100)
    completed = boxmask("predict", trained, "bad.mp4")
    assert completed.status == 1
    assert completed.err.startswith("boxmask: bad.mp4: this file is not a video")
