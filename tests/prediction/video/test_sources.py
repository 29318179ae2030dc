from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from boxmask.errors import UsageError, VideoError
from boxmask.outputs import write_output
from boxmask.prediction.video import pyav, sources
from boxmask.prediction.video.read import VideoReader
from boxmask.prediction.video.sources import is_video_input, only_videos, source_name
from boxmask.prediction.video.times import format_time, parse_time


def test_videos_and_cameras_are_told_from_photos(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert is_video_input("clips/a.MP4")
    assert is_video_input("camera:0")
    assert not is_video_input("a.jpg")
    assert not is_video_input(tmp_path / "folder.mp4")
    assert only_videos(["a.mp4", "camera:1"])
    assert not only_videos(["a.jpg", "folder"])
    with pytest.raises(UsageError, match=r"a\.mp4 is a video, and b\.jpg is not"):
        only_videos(["a.mp4", "b.jpg"])


def test_a_pattern_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4", "[c].mp4", "d.mov"):
        (tmp_path / name).touch()
    given = [tmp_path / "*.mp4", tmp_path / "a.mp4", tmp_path / "[c].mp4", "camera:0", tmp_path / "no*.mp4"]
    names = [str(tmp_path / name) for name in ("[c].mp4", "a.mp4", "b.mp4")]
    assert sources.find_videos(given) == [*names, "camera:0", str(tmp_path / "no*.mp4")]


def test_a_pattern_leaves_out_what_boxmask_wrote(tmp_path: Path) -> None:
    with write_output(tmp_path / "a.mp4") as file:
        file.write_bytes(b"video")
    assert sources.find_videos([tmp_path / "a.mp4"]) == [str(tmp_path / "a.mp4")]
    with pytest.raises(VideoError, match=r"\*\.mp4: this glob matches only files that boxmask wrote"):
        sources.find_videos([tmp_path / "*.mp4"])
    (tmp_path / "b.mp4").touch()
    assert sources.find_videos([tmp_path / "*.mp4"]) == [str(tmp_path / "b.mp4")]


def test_files_are_named_after_the_source() -> None:
    assert source_name("clips/a.b.mov") == "a.b"
    assert source_name("camera:0") == "camera-0"
    assert source_name("camera:/dev/video2") == "camera-video2"


@pytest.mark.parametrize(
    ("platform", "name", "system", "device"),
    [
        ("linux", "1", "v4l2", "/dev/video1"),
        ("linux", "/dev/v4l/by-id/x", "v4l2", "/dev/v4l/by-id/x"),
        ("darwin", "0", "avfoundation", "0:none"),
        ("win32", "1", "dshow", "video=USB Camera"),
        ("win32", "USB Camera", "dshow", "video=USB Camera"),
    ],
)
def test_cameras_have_the_names_of_their_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, name: str, system: str, device: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sources, "camera_names", lambda: ["Built-in Camera", "USB Camera"])
    assert sources._device(name) == (system, device)


def test_a_missing_camera_is_an_error_that_lists_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError, match=r"camera:99: this camera cannot be opened .*camera"):
        VideoReader("camera:99")
    monkeypatch.setattr(sources, "camera_names", lambda: ["Built-in"])
    with pytest.raises(VideoError, match=r"Cameras that were found: camera:0 \(Built-in\)\."):
        VideoReader("camera:99")


def test_cameras_are_listed_without_microphones(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [
        SimpleNamespace(name="0", description="Webcam", media_types=["video"]),
        SimpleNamespace(name="1", description="Microphone", media_types=["audio"]),
        SimpleNamespace(name="/dev/video2", description="", media_types=[]),
    ]
    av = SimpleNamespace(enumerate_input_devices=lambda system: devices, FFmpegError=RuntimeError)
    monkeypatch.setattr(sources, "import_av", lambda: av)
    assert sources.camera_names() == ["Webcam", "/dev/video2"]


def test_frames_of_a_camera_count_their_time_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's test pattern stands for a camera, which has neither a length nor a time of its beginning."""
    pattern = "testsrc=size=64x48:rate=10:duration=1,setpts=PTS+7/TB"
    monkeypatch.setattr(sources, "_device", lambda name: ("lavfi", pattern))
    monkeypatch.setattr(sources, "CAMERA_OPTIONS", {})
    with VideoReader("camera:0") as reader:
        frames = list(reader.frames())
        assert reader.num_frames is None
    assert len(frames) == 10
    assert [round(frame.time, 3) for frame in frames] == [n / 10 for n in range(10)]
    assert frames[0].pixels.shape == (48, 64, 3)
    assert reader.notes() == ()


def test_without_pyav_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(pyav, "import_module", missing)
    with pytest.raises(UsageError, match=r'pip install "boxmask\[video\]"'):
        pyav.import_av()


def test_times_are_shown_as_players_do() -> None:
    assert format_time(0.04) == "0:00.0"
    assert format_time(3.25) == "0:03.2"
    assert format_time(59.96) == "1:00.0"
    assert format_time(3723.04) == "1:02:03.0"


def test_times_of_tags_are_read() -> None:
    assert parse_time("01:02:03.500000000") == 3723.5
    assert parse_time("0:00:05") == 5
    assert parse_time("") is parse_time("5 s") is parse_time("1:2:3") is None
