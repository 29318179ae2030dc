from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boxmask.errors import DiskFullError, OutputError
from boxmask.prediction.video import write
from boxmask.prediction.video.read import Frame, VideoReader
from boxmask.prediction.video.write import VideoWriter, output_errors


def read(path: Path) -> list[Frame]:
    with VideoReader(path) as reader:
        return list(reader.frames())


def count_with_opencv(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


@pytest.mark.parametrize(("encoder", "codec"), [("libx264", "h264"), ("mpeg4", "mpeg4")])
def test_frames_are_written_at_their_times(
    tmp_path: Path, moving_scene: Any, monkeypatch: pytest.MonkeyPatch, encoder: str, codec: str
) -> None:
    monkeypatch.setattr(write, "ENCODERS", ("no_such_encoder", encoder))
    times = [n / 30 + (n % 3) * 0.004 for n in range(20)]
    with VideoWriter(tmp_path / "a.mp4", Fraction(30)) as writer:
        for number, time in enumerate(times):
            writer.write(moving_scene.draw_frame(number), time)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert reader._video.codec_context.name == codec
        frames = list(reader.frames())
    assert [moving_scene.read_number(frame.pixels) for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=2e-5)
    assert count_with_opencv(tmp_path / "a.mp4") == 20
    difference = frames[10].pixels.astype(int) - moving_scene.draw_frame(10)
    assert abs(difference).mean() < 4
    assert abs(difference.mean()) < 0.5


def test_odd_sides_and_frames_of_another_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(10)) as writer:
        writer.write(np.full((61, 79, 3), 200, np.uint8), 0.0)
        writer.write(np.full((30, 40, 3), 100, np.uint8), 0.1)
    first, second = read(tmp_path / "a.mp4")
    assert first.pixels.shape == second.pixels.shape == (62, 80, 3)
    assert abs(int(first.pixels.mean()) - 200) < 5
    assert abs(int(second.pixels.mean()) - 100) < 5


def test_times_that_do_not_grow_are_moved_on(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", Fraction(10)) as writer:
        for time in (0.0, 0.1, 0.1, 0.05, 0.3):
            writer.write(np.zeros((32, 32, 3), np.uint8), time)
    assert len(read(tmp_path / "a.mp4")) == 5


@pytest.mark.parametrize(("name", "audio", "is_copied"), [("a.mp4", "aac", True), ("a.mkv", "pcm_u8", False)])
def test_sound_is_copied_if_mp4_can_hold_it(
    tmp_path: Path, moving_scene: Any, name: str, audio: str, is_copied: bool
) -> None:
    source = moving_scene.write_video(tmp_path / name, 30, audio=audio)
    with (
        VideoReader(source) as reader,
        VideoWriter(tmp_path / "out.mp4", reader.rate, reader.audio) as writer,
    ):
        assert writer.copies_sound is is_copied
        for frame in reader.frames(on_sound=writer.write_sound):
            writer.write(frame.pixels, frame.time)
    with VideoReader(tmp_path / "out.mp4") as copy:
        assert (copy.audio is not None) is is_copied
        assert len(list(copy.frames())) == 30
        assert copy.duration == pytest.approx(1.0, abs=0.05)
        if copy.audio is not None and copy.audio.time_base is not None:
            assert float(copy.audio.duration * copy.audio.time_base) == pytest.approx(1.0, abs=0.2)


def test_errors_of_the_encoder_name_the_file(tmp_path: Path) -> None:
    import av

    with pytest.raises(OutputError, match=r"a\.mp4: cannot be written"), output_errors(Path("a.mp4")):
        raise av.error.InvalidDataError(1, "bad")
    with pytest.raises(DiskFullError, match=r"a\.mp4: no space left"), output_errors(Path("a.mp4")):
        raise av.error.OSError(errno.ENOSPC, "No space left on device")


def test_a_colon_in_the_path_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out:v2").mkdir()
    for path in (Path("out:v2/a.mp4"), Path("12:30:05.mp4")):
        with VideoWriter(path, Fraction(10)) as writer:
            writer.write(np.zeros((32, 32, 3), np.uint8), 0.0)
        assert len(read(path)) == 1


def test_a_missing_folder_is_named_by_the_final_path(tmp_path: Path) -> None:
    path, final_path = tmp_path / "missing" / "a.mp4", Path("final.mp4")
    with (
        pytest.raises(OutputError, match=r"^final\.mp4: cannot be written \(No such file"),
        VideoWriter(path, Fraction(10), final_path=final_path) as writer,
    ):
        writer.write(np.zeros((32, 32, 3), np.uint8), 0.0)
