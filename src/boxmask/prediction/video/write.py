"""Write an annotated video: H.264 where the encoder is there, else MPEG-4, with the sound of the original."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boxmask.atomic_write import output_error
from boxmask.errors import OutputError
from boxmask.messages import one_line
from boxmask.prediction.video import colors
from boxmask.prediction.video.pyav import import_av
from boxmask.visualization.style import RGBImage

if TYPE_CHECKING:
    from av import AudioStream, VideoStream

ENCODERS = ("libx264", "libopenh264", "mpeg4")  # the first that is there
_OPTIONS = {
    "libx264": {
        "crf": "20",
        "preset": "veryfast",
    },  # 20: no visible loss; the size matters less than the time
    "libopenh264": {"b": "8M"},
    "mpeg4": {"qmin": "2", "qmax": "4"},
}
TIME_BASE = Fraction(1, 60_000)  # seconds; MPEG-4 allows no denominator above 65535


class VideoWriter:
    """Writes an MP4 file frame by frame. Use it as a context; its end completes the file.

    rate:       frames per second, a hint for the encoder: each frame keeps its own time
    audio:      a stream of sound to copy
    final_path: the name that the file gets in the end, for errors; None: `path`

    Raises DiskFullError, and OutputError if the file cannot be written.
    """

    def __init__(
        self, path: Path, rate: Fraction, audio: AudioStream | None = None, final_path: Path | None = None
    ) -> None:
        av = import_av()
        self.path, self.rate = final_path or path, rate
        self._converter = av.video.reformatter.VideoReformatter()
        with output_errors(self.path):
            file = f"file:{path}"  # without it, FFmpeg takes the beginning of "a:b.mp4" for a protocol
            self._container = av.open(file, "w", format="mp4", options={"movflags": "faststart"})
        self._video: VideoStream | None = None
        self._sound = self._copy_of(audio)
        self._early_sound: list[Any] = []  # before the first frame: a stream cannot be added after sound
        self._last_stamp = -1

    @property
    def copies_sound(self) -> bool:
        """Whether the file gets the sound. MP4 files hold fewer formats than others."""
        return self._sound is not None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None:
            with suppress(import_av().FFmpegError):  # the file is incomplete, and is removed
                self._container.close()
            return
        with output_errors(self.path), closing(self._container):
            if self._video is not None:
                self._container.mux(self._video.encode(None))

    def write(self, pixels: RGBImage, time: float) -> None:
        """Append a frame (H, W, 3) at a time in seconds. Frames of another size are scaled to the first."""
        av = import_av()
        with output_errors(self.path):
            if self._video is None:
                self._video = self._add_stream(*pixels.shape[:2])
                self._container.mux(self._early_sound)
                self._early_sound.clear()
            frame = self._converter.reformat(
                av.VideoFrame.from_ndarray(_with_even_sides(pixels), format="rgb24"),
                width=self._video.width,
                height=self._video.height,
                format="yuv420p",
                dst_colorspace=colors.BT709,
                dst_color_range=colors.LIMITED_RANGE,
                interpolation=colors.EXACT,
                threads=1,
            )
            self._last_stamp = max(round(time / TIME_BASE), self._last_stamp + 1)
            frame.pts, frame.time_base = self._last_stamp, TIME_BASE
            self._container.mux(self._video.encode(frame))

    def write_sound(self, packet: Any, start: Fraction) -> None:
        """Append a packet of the sound (`av.Packet`). `start`, in seconds, is subtracted from its time."""
        if self._sound is None or packet.time_base is None:
            return
        offset = round(start / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - offset
        packet.pts = None if packet.pts is None else packet.pts - offset
        packet.stream = self._sound
        if self._video is None:
            self._early_sound.append(packet)
            return
        with output_errors(self.path):
            self._container.mux(packet)

    def _add_stream(self, height: int, width: int) -> VideoStream:
        av = import_av()
        encoder = next(name for name in ENCODERS if name in av.codecs_available and _can_write(name))
        stream: VideoStream = self._container.add_stream(
            encoder, rate=self.rate.limit_denominator(60_000), options=dict(_OPTIONS[encoder])
        )
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = colors.BT709
        context.color_range = colors.LIMITED_RANGE
        return stream

    def _copy_of(self, audio: AudioStream | None) -> AudioStream | None:
        av = import_av()
        if audio is None or audio.codec_context is None:
            return None
        if audio.codec_context.codec.canonical_name not in self._container.supported_codecs:
            return None
        try:
            copy: AudioStream = self._container.add_stream_from_template(audio)
        except (av.FFmpegError, ValueError):
            return None
        return copy


def _can_write(name: str) -> bool:
    av = import_av()
    try:
        av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def _with_even_sides(pixels: RGBImage) -> RGBImage:
    """The picture with its last row and column repeated where a side is odd: H.264 needs even sides."""
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return np.ascontiguousarray(pixels)
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors of writing into an OutputError that names the file."""
    av = import_av()
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in errno.errorcode:
            raise output_error(path, error) from error
        raise OutputError(
            f"{path}: cannot be written ({one_line(error)}). Check the free space and the permissions, or "
            "choose another --out (in Python: out)."
        ) from error
