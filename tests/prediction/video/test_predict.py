from __future__ import annotations

import csv
import errno
import gc
import json
import os
import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from boxmask.errors import DiskFullError, OutputError, UsageError
from boxmask.masks import Masks
from boxmask.prediction.video import outputs
from boxmask.prediction.video.frames import predict_frames
from boxmask.prediction.video.predict import VideoOptions, VideoPrediction, predict_videos
from boxmask.prediction.video.read import VideoReader
from boxmask.prediction.video.write import VideoWriter
from boxmask.types import Classification, Detections, SegmentationMap

MAX_GROWTH = 25e6  # bytes; 250 frames have 58 MB


class SceneDetector:
    """Reads the number of a frame from its pixels, and finds what a noisy detector would find."""

    def __init__(self, scene: Any, masks: bool = False) -> None:
        self.scene, self.masks = scene, masks

    def predict(self, pixels: np.ndarray) -> Detections:
        boxes, scores, labels, _ = self.scene.noisy(self.scene.read_number(pixels))
        masks = None
        if self.masks:
            dense = np.zeros((len(boxes), *pixels.shape[:2]), dtype=bool)
            for mask, (x1, y1, x2, y2) in zip(dense, boxes.astype(int), strict=True):
                mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
            masks = Masks.from_dense(dense)
        return Detections(boxes, scores, labels, self.scene.class_names, pixels.shape[:2], masks)


class HalfSegmenter:
    def predict(self, pixels: np.ndarray) -> SegmentationMap:
        labels = np.zeros(pixels.shape[:2], np.uint8)
        labels[:, labels.shape[1] // 2 :] = 1
        return SegmentationMap(labels, ("background", "road"))


class DayClassifier:
    def predict(self, pixels: np.ndarray) -> Classification:
        return Classification(np.array([0.9, 0.1], np.float32), ("day", "night"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, moving_scene: Any) -> Path:
    path: Path = moving_scene.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", 300, audio="aac")
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory, moving_scene: Any) -> Path:
    path: Path = moving_scene.write_video(tmp_path_factory.mktemp("short") / "short.mp4", 12)
    return path


def run(model: Any, videos: list[Any], out: Path, progress: Any = None, **options: Any) -> VideoPrediction:
    return predict_videos(model, videos, out, VideoOptions(**options), progress)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_300_frames_are_tracked_and_annotated_in_flat_memory(
    tmp_path: Path, moving_scene: Any, clip: Path
) -> None:
    process, memory, reported = psutil.Process(), {}, []

    def watch(done: int, total: int | None) -> None:
        reported.append((done, total))
        if done in (50, 300):
            gc.collect()
            memory[done] = process.memory_info().rss

    prediction = run(SceneDetector(moving_scene), [clip], tmp_path, watch, formats=("mp4", "csv", "jsonl"))
    assert prediction.errors == prediction.notes == []
    assert prediction.finished
    assert prediction.summaries == [f"{clip}: 300 frames, 0:10.0, 6 objects (3 ball, 3 box)"]
    assert reported == [(number, 300) for number in range(1, 301)]
    assert memory[300] - memory[50] < MAX_GROWTH
    assert [file.name for file in prediction.files] == ["clip.mp4", "clip.csv", "clip.jsonl"]
    _check_table(rows_of(tmp_path / "clip.csv"), moving_scene)
    lines = [json.loads(line) for line in (tmp_path / "clip.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(300))
    assert sum(len(line["objects"]) for line in lines) == len(rows_of(tmp_path / "clip.csv"))
    _check_annotated_video(tmp_path / "clip.mp4", moving_scene)


def _check_table(rows: list[dict[str, str]], scene: Any) -> None:
    """Every detection of an object of the scene carries the number of its object."""
    numbers: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        number = int(row["frame"])
        assert float(row["time"]) == pytest.approx(number / scene.rate, abs=1e-4)
        boxes, scores, _, objects = scene.noisy(number)
        box = np.array([float(row[edge]) for edge in ("x1", "y1", "x2", "y2")])
        place = int(np.abs(boxes - box).sum(axis=1).argmin())
        assert float(row["score"]) == pytest.approx(scores[place], abs=1e-5)
        if objects[place] >= 0 and row["track"]:
            numbers[int(objects[place])].add(row["track"])
    assert sorted(numbers) == list(range(len(scene.shapes)))
    assert sorted(number for found in numbers.values() for number in found) == list("123456")


def _check_annotated_video(path: Path, scene: Any) -> None:
    """It decodes to as many frames, each the annotated frame of its number, and has the sound."""
    with VideoReader(path) as reader:
        assert reader.audio is not None
        count, drawn = 0, 0
        for frame in reader.frames():
            assert scene.read_number(frame.pixels) == count
            drawn += np.abs(frame.pixels.astype(int) - scene.draw_frame(count)).max(axis=2).max() > 80
            count += 1
        assert reader.notes() == ()
    assert count == 300
    assert drawn > 290


def test_frames_from_python(moving_scene: Any, short: Path) -> None:
    frames = list(predict_frames(SceneDetector(moving_scene), short, every=2))
    assert [frame.number for frame in frames] == [0, 2, 4, 6, 8, 10]
    assert all(len(frame.tracks) == len(frame.result) for frame in frames)
    untracked = list(predict_frames(SceneDetector(moving_scene), short, track=False, min_score=0.9))
    assert all(frame.tracks is None and (frame.result.scores >= 0.9).all() for frame in untracked)


def test_masks_are_drawn_and_written(tmp_path: Path, moving_scene: Any, short: Path) -> None:
    run(SceneDetector(moving_scene, masks=True), [short], tmp_path, formats=("mp4", "csv", "jsonl"))
    rows = rows_of(tmp_path / "short.csv")
    assert all(int(row["area"]) > 100 for row in rows)
    first = json.loads((tmp_path / "short.jsonl").read_text().splitlines()[0])["objects"][0]
    assert first["mask"]["size"] == [240, 320]
    assert isinstance(first["mask"]["counts"], str)


def test_without_tracking_there_are_detections(tmp_path: Path, moving_scene: Any, short: Path) -> None:
    prediction = run(SceneDetector(moving_scene), [short], tmp_path, formats=("csv",), track=False)
    rows = rows_of(tmp_path / "short.csv")
    assert {row["track"] for row in rows} == {""}
    assert prediction.summaries == [f"{short}: 12 frames, 0:00.4, {len(rows)} detections"]


def test_label_maps_and_classes(tmp_path: Path, short: Path) -> None:
    formats = ("mp4", "csv", "jsonl")
    run(HalfSegmenter(), [short], tmp_path / "maps", formats=formats)
    assert rows_of(tmp_path / "maps" / "short.csv")[1] == {
        "frame": "0", "time": "0.0", "class": "road", "share": "0.5"
    }  # fmt: skip
    prediction = run(DayClassifier(), [short], tmp_path / "classes", formats=formats)
    assert prediction.summaries == [f"{short}: 12 frames, 0:00.4, 12 day"]
    line = json.loads((tmp_path / "classes" / "short.jsonl").read_text().splitlines()[0])
    assert line == {"frame": 0, "time": 0.0, "class": "day", "scores": {"day": 0.9, "night": 0.1}}
    for folder in ("maps", "classes"):
        with VideoReader(tmp_path / folder / "short.mp4") as reader:
            assert len(list(reader.frames())) == 12


def test_a_signal_completes_the_files(tmp_path: Path, moving_scene: Any, clip: Path, short: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done == 40:
            os.kill(os.getpid(), signal.SIGINT)

    prediction = run(SceneDetector(moving_scene), [clip, short], tmp_path, interrupt)
    assert not prediction.finished
    assert prediction.notes == prediction.errors == []
    assert prediction.videos == [str(clip)], "the second is not begun"
    with VideoReader(tmp_path / "clip.mp4") as reader:
        assert len(list(reader.frames())) == 40
    assert {int(row["frame"]) for row in rows_of(tmp_path / "clip.csv")} == set(range(40))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_bad_videos_are_reported_and_the_others_predicted(
    tmp_path: Path, moving_scene: Any, short: Path
) -> None:
    (tmp_path / "text.mp4").write_text("hello\n" * 50)
    videos = [tmp_path / "text.mp4", short, tmp_path / "missing.mov", short]
    prediction = run(SceneDetector(moving_scene), videos, tmp_path / "out")
    assert [error.split(": ")[0] for error in prediction.errors] == [str(videos[0]), str(videos[2])]
    assert prediction.videos == [str(short)], "a video that is named twice is predicted once"
    assert sorted(file.name for file in (tmp_path / "out").iterdir() if file.suffix) == [
        ".boxmask-outputs.jsonl", "short.csv", "short.mp4"
    ]  # fmt: skip


def test_a_model_that_fails_leaves_no_files(tmp_path: Path, short: Path) -> None:
    class Broken:
        def predict(self, pixels: np.ndarray) -> Any:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        run(Broken(), [short], tmp_path)
    assert list(tmp_path.glob("*.mp4")) == list(tmp_path.glob("*.csv")) == []
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.parametrize("when", ["write", "write_sound"])
def test_errors_of_the_thread_that_writes_are_reported(
    tmp_path: Path, moving_scene: Any, clip: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def fail(*arguments: Any) -> None:
        raise OutputError("out.mp4: cannot be written.")

    monkeypatch.setattr(VideoWriter, when, fail)
    prediction = run(SceneDetector(moving_scene), [clip], tmp_path, every=50)
    assert prediction.errors == ["out.mp4: cannot be written."]
    assert list(tmp_path.glob("clip.*")) == []


def test_videos_of_one_name_and_the_video_itself(tmp_path: Path, moving_scene: Any, short: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").write_bytes(short.read_bytes())
    videos = [tmp_path / "a" / "clip.mp4", tmp_path / "b" / "clip.mp4"]
    prediction = run(SceneDetector(moving_scene), videos, tmp_path / "out", formats=("csv",))
    assert [file.name for file in prediction.files] == ["clip.csv", "clip-2.csv"]
    with pytest.raises(UsageError, match=r"clip\.mp4: would overwrite"):
        run(SceneDetector(moving_scene), videos[:1], tmp_path / "a")


def test_an_output_that_is_named_as_a_video_is_predicted(
    tmp_path: Path, moving_scene: Any, short: Path
) -> None:
    run(SceneDetector(moving_scene), [short], tmp_path)
    annotated = tmp_path / "short.mp4"
    content = annotated.read_bytes()
    with pytest.raises(UsageError, match=r"short\.mp4: would overwrite"):
        run(SceneDetector(moving_scene), [annotated], tmp_path)
    prediction = run(SceneDetector(moving_scene), [annotated], tmp_path, formats=("jsonl",))
    assert prediction.videos == [str(annotated)]
    assert annotated.read_bytes() == content


@pytest.mark.parametrize("name", ["mp4", "csv", "jsonl"])
def test_a_full_disk_names_the_file(
    tmp_path: Path, moving_scene: Any, short: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*arguments: Any) -> None:
        import av

        error = av.error.OSError if name == "mp4" else OSError
        raise error(errno.ENOSPC, "No space left on device")

    if name == "mp4":
        monkeypatch.setattr(VideoWriter, "_add_stream", fail)
    else:
        monkeypatch.setattr(outputs._Table if name == "csv" else outputs._Lines, "write", fail)
    with pytest.raises(DiskFullError, match=rf"/short\.{name}: no space left"):
        run(SceneDetector(moving_scene), [short], tmp_path, formats=("mp4", "csv", "jsonl"))
    assert list(tmp_path.glob("short.*")) == []


def test_an_error_of_the_model_is_none_of_a_file(tmp_path: Path, short: Path) -> None:
    class Broken:
        def predict(self, pixels: np.ndarray) -> Any:
            raise OSError(errno.EIO, "broken model")

    with pytest.raises(OSError, match=r"^\[Errno 5\] broken model"):
        run(Broken(), [short], tmp_path)
    assert list(tmp_path.glob("short.*")) == []


def test_wrong_options() -> None:
    with pytest.raises(UsageError, match="--save: expected mp4, csv or jsonl for videos, found jpg"):
        VideoOptions(formats=("mp4", "jpg"))
    with pytest.raises(UsageError, match="--every: expected 1 or more, found 0"):
        VideoOptions(every=0)
