from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from boxmask.errors import VideoError
from boxmask.prediction.video.read import Frame, VideoReader
from boxmask.prediction.video.write import VideoWriter


def read(path: Path, every: int = 1) -> tuple[list[Frame], VideoReader]:
    with VideoReader(path) as reader:
        return list(reader.frames(every)), reader


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, moving_scene: Any) -> Path:
    path: Path = moving_scene.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", 60, audio="aac")
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx-vp9"),
        ("a.mov", "mpeg4"),
    ],
)
def test_frames_come_in_order_with_their_times(
    tmp_path: Path, moving_scene: Any, name: str, codec: str
) -> None:
    path = moving_scene.write_video(tmp_path / name, 30, codec=codec)
    frames, reader = read(path)
    assert [moving_scene.read_number(frame.pixels) for frame in frames] == list(range(30))
    assert [frame.number for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(30) / 30, atol=0.001)
    assert reader.num_frames == 30
    assert reader.rate == 30
    assert reader.notes() == ()
    difference = frames[20].pixels.astype(int) - moving_scene.draw_frame(20)
    assert abs(difference).mean() < 4
    assert abs(difference.mean()) < 0.5, "the conversion of colors makes frames darker or lighter"


def test_every_third_frame_keeps_its_number(clip: Path, moving_scene: Any) -> None:
    frames, _ = read(clip, every=3)
    assert [frame.number for frame in frames] == list(range(0, 60, 3))
    assert [moving_scene.read_number(frame.pixels) for frame in frames] == list(range(0, 60, 3))


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path, moving_scene: Any) -> None:
    times = [n * 33 + (n % 4) * 6 + (200 if n > 20 else 0) for n in range(40)]
    path = moving_scene.write_video(tmp_path / "a.mkv", 40, times=lambda n: times[n] + 500)
    frames, _ = read(path)
    np.testing.assert_allclose([frame.time for frame in frames], np.array(times) / 1000, atol=1e-9)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_frames_are_turned_upright_as_opencv_turns_them(
    tmp_path: Path, moving_scene: Any, rotation: int
) -> None:
    path = moving_scene.write_video(tmp_path / "a.mp4", 3, rotation=rotation)
    frames, _ = read(path)
    _, expected = cv2.VideoCapture(str(path)).read()
    assert frames[0].pixels.shape == expected.shape
    assert abs(frames[0].pixels.astype(int) - expected[..., ::-1]).mean() < 3


def test_sound_is_passed_on(clip: Path) -> None:
    packets: list[Any] = []
    with VideoReader(clip) as reader:
        list(reader.frames(on_sound=lambda packet, start: packets.append((packet.dts, start))))
    assert len(packets) > 10
    assert {start for _, start in packets} == {reader._first_time()}


# ---------------------------------------------------------------- damaged files


def test_a_damaged_place_is_named_and_the_rest_is_read(tmp_path: Path, clip: Path) -> None:
    content, noise = bytearray(clip.read_bytes()), random.Random(1)
    for place in range(len(content) * 35 // 100, len(content) * 45 // 100):
        content[place] = noise.randrange(256)
    damaged = tmp_path / "a.mp4"
    damaged.write_bytes(content)
    frames, reader = read(damaged)
    assert 30 < len(frames) < 60
    assert any("the damage begins at 0:00." in note for note in reader.notes()), reader.notes()


def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path, moving_scene: Any) -> None:
    whole = moving_scene.write_video(tmp_path / "whole.mkv", 120)
    content = whole.read_bytes()
    (tmp_path / "a.mkv").write_bytes(content[: len(content) // 2])
    frames, reader = read(tmp_path / "a.mkv")
    assert [moving_scene.read_number(frame.pixels) for frame in frames] == list(range(len(frames)))
    assert 20 < len(frames) < 100
    assert f"a.mkv: ends at 0:0{frames[-1].time:.1f}, although its header says 0:04.0" in reader.notes()[0]


def test_few_frames_per_second_are_not_taken_for_a_truncated_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(1, 3)) as writer:
        for number in range(5):
            writer.write(np.zeros((32, 32, 3), np.uint8), number * 3.0)
    frames, reader = read(tmp_path / "a.mp4")
    assert len(frames) == 5
    assert reader.duration == pytest.approx(15, abs=0.1)
    assert reader.notes() == ()


@pytest.mark.parametrize("has_tags", [True, False])
def test_sound_may_be_longer_than_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_tags: bool
) -> None:
    _write_long_sound(tmp_path / "a.mkv")
    if not has_tags:
        monkeypatch.setattr("boxmask.prediction.video.read.parse_time", lambda text: None)
    frames, reader = read(tmp_path / "a.mkv")
    assert len(frames) == 20
    assert reader.duration == pytest.approx(2 if has_tags else 5, abs=0.1)
    assert reader.num_frames == (20 if has_tags else 50)
    assert reader.notes() == ()


def _write_long_sound(path: Path) -> None:
    """Two seconds of video, and five of sound."""
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=8000)
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for second in range(5):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 8000, second * 8000, Fraction(1, 8000)
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))


def test_a_frame_that_cannot_be_converted_is_left_out(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    convert = VideoReader._pixels

    def fail_once(self: VideoReader, frame: Any) -> Any:
        if frame.pts and self._num_failed == 0:
            raise av.error.OSError(5, "Input/output error")
        return convert(self, frame)

    monkeypatch.setattr(VideoReader, "_pixels", fail_once)
    frames, reader = read(clip)
    assert [frame.number for frame in frames] == [0, *range(2, 60)]
    assert reader.notes() == (f"{clip}: 1 frame could not be decoded; the damage begins at 0:00.0",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this file is empty"),
        (b"hello\n" * 100, "is not a video, or its beginning or end is damaged"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "is not a video"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "is not a video"),
    ],
)
def test_files_that_are_no_videos(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoError, match=message):
        VideoReader(tmp_path / "a.mp4")


def test_a_video_without_its_index_is_named(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(clip.read_bytes()[:5000])
    with pytest.raises(
        VideoError, match=r"a\.mp4: this file is not a video, or its beginning or end is damaged"
    ):
        VideoReader(tmp_path / "a.mp4")


def test_photos_folders_missing_files_and_songs(tmp_path: Path) -> None:
    import av

    Image.new("RGB", (64, 48)).save(tmp_path / "photo.jpg")
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        tone = container.add_stream("aac", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        container.mux(tone.encode(sound))
        container.mux(tone.encode(None))
    expected = {
        "photo.jpg": "is not a video",
        "missing.mp4": "does not exist",
        ".": "found a folder",
        "song.mp4": "has no video stream",
    }
    for name, message in expected.items():
        with pytest.raises(VideoError, match=message):
            VideoReader(tmp_path / name)
