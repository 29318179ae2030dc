"""Read the frames of a video, upright and with their times, as far as the file is intact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from boxmask.errors import VideoError
from boxmask.messages import format_count, one_line
from boxmask.photos.formats import MAX_PIXELS
from boxmask.prediction.video import colors
from boxmask.prediction.video.pyav import import_av
from boxmask.prediction.video.sources import is_camera, open_source
from boxmask.prediction.video.times import format_time, parse_time
from boxmask.visualization.style import RGBImage

if TYPE_CHECKING:
    from av import AudioStream, VideoFrame, VideoStream

DEFAULT_RATE = Fraction(30)  # frames per second, where the file does not say
MAX_MISSING = 1.0  # seconds that a video may be shorter than its header says

SoundHandler: TypeAlias = Callable[[Any, Fraction], None]
"""Called with a packet of sound (`av.Packet`), and the time in seconds at which the video begins in it."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    number: counts the decoded frames from 0
    time:   seconds since the beginning of the video
    pixels: (H, W, 3) uint8 RGB, upright
    """

    number: int
    time: float
    pixels: RGBImage


class VideoReader:
    """Reads one video file or camera. Use it as a context.

    rate:       frames per second, on average; a guess for cameras
    num_frames: as the header of the file says or implies; None if it is not known
    audio:      the stream of sound, if there is one

    Raises VideoError if the source is missing, is not a video, or has a codec that PyAV lacks.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = source
        self.is_camera = is_camera(source)
        self._container = open_source(source)
        try:
            self._video = self._video_stream()
        except VideoError:
            self._container.close()
            raise
        self._video.thread_type = "AUTO"
        self._converter = import_av().video.reformatter.VideoReformatter()
        sounds = self._container.streams.audio
        self.audio: AudioStream | None = sounds[0] if sounds else None
        self.rate = self._video.average_rate or self._video.guessed_rate or DEFAULT_RATE
        self.duration = self._duration()
        self.num_frames = self._count_frames()
        self._start: Fraction | None = None if self.is_camera else self._first_time()
        self._num_failed, self._num_damaged, self._first_damage = 0, 0, 0.0
        self._end_error = ""
        self._last = -1.0  # time of the last frame
        self._end = 0.0  # of the last packet of any stream

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frames(self, every: int = 1, on_sound: SoundHandler | None = None) -> Iterator[Frame]:
        """Each frame whose number is a multiple of `every`.

        on_sound: called with the packets of sound in between
        """
        for number, frame in enumerate(self._decoded(on_sound)):
            time = self._time_of(frame)
            self._last = time
            if frame.is_corrupt:
                self._num_damaged += 1
                self._first_damage = time if self._num_failed + self._num_damaged == 1 else self._first_damage
            if number % every == 0:
                try:
                    pixels = self._pixels(frame)
                except import_av().FFmpegError:
                    self._note_failure(time)
                else:
                    yield Frame(number, time, pixels)

    def notes(self) -> tuple[str, ...]:
        """Notes on damaged parts, once the frames are read."""
        notes = []
        first = f"; the damage begins at {format_time(self._first_damage)}"
        if self._num_failed:
            lost = format_count(self._num_failed, "frame")
            notes.append(f"{lost} could not be decoded{first}")
        if self._num_damaged:
            notes.append(f"{format_count(self._num_damaged, 'frame')} may look wrong{first}")
        if self._end_error or (self._missing() > MAX_MISSING and not self.is_camera):
            end = format_time(max(0.0, self._last))
            why = f" ({self._end_error})" if self._end_error else ""
            if self.duration:
                notes.append(f"ends at {end}, although its header says {format_time(self.duration)}{why}")
            else:
                notes.append(f"ends early, at {end}{why}")
        return tuple(f"{self.source}: {note}" for note in notes)

    def _missing(self) -> float:
        """How many seconds of the video the file lacks; 0 if its duration is not known."""
        if self.duration is None:
            return 0.0
        end = self._last + float(1 / self.rate)
        if self._video.duration is None:  # `duration` may be that of another stream
            end = max(end, self._end)
        return self.duration - end

    # ---------------------------------------------------------------- the file

    def _video_stream(self) -> VideoStream:
        av = import_av()
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic  # the cover of a song
        ]
        if not streams:
            raise VideoError(f"{self.source}: this file has no video stream. Give a video.")
        if streams[0].codec_context is None:
            raise VideoError(f"{self.source}: this video has a codec that PyAV lacks. Convert it to H.264.")
        width, height = streams[0].width, streams[0].height
        if width * height > MAX_PIXELS:
            raise VideoError(
                f"{self.source}: a frame has {width * height:,} pixels; at most {MAX_PIXELS:,} are read. "
                "Scale the video down first."
            )
        return streams[0]

    def _duration(self) -> float | None:
        """Seconds of the video; Matroska files give those of their longest stream, and tags for each."""
        if self._video.duration is not None and self._video.time_base is not None:
            return float(self._video.duration * self._video.time_base)
        longest = None if self._container.duration is None else self._container.duration / 1e6
        tagged = parse_time(self._video.metadata.get("DURATION", ""))
        return min((seconds for seconds in (longest, tagged) if seconds), default=None)

    def _count_frames(self) -> int | None:
        if self.is_camera:
            return None
        if self._video.frames:
            return self._video.frames
        return None if self.duration is None else max(1, round(self.duration * self.rate))

    def _first_time(self) -> Fraction:
        """The time at which the video or its sound begins."""
        starts = [
            stream.start_time * stream.time_base
            for stream in (self._video, self.audio)
            if stream is not None and stream.start_time is not None and stream.time_base is not None
        ]
        return min(starts, default=Fraction(0))

    # ---------------------------------------------------------------- frames

    def _decoded(self, on_sound: SoundHandler | None) -> Iterator[VideoFrame]:
        """The frames of all intact packets."""
        av = import_av()
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError as error:
                self._end_error = one_line(error)
                return
            self._note_end(packet)
            if packet.stream is not self._video:
                if on_sound is not None and packet.stream is self.audio and packet.dts is not None:
                    on_sound(packet, self._start or Fraction(0))
                continue
            try:
                yield from self._video.decode(packet)
            except av.FFmpegError:
                self._note_failure(self._seconds(packet.pts, packet.time_base))

    def _note_end(self, packet: Any) -> None:
        if packet.pts is not None:
            self._end = max(self._end, self._seconds(packet.pts + (packet.duration or 0), packet.time_base))

    def _note_failure(self, time: float) -> None:
        if self._num_failed + self._num_damaged == 0:
            self._first_damage = max(0.0, time)
        self._num_failed += 1

    def _seconds(self, stamp: int | None, time_base: Fraction | None) -> float:
        """Seconds since the beginning; 0 if they are not known."""
        if stamp is None or time_base is None or self._start is None:
            return 0.0
        return float(stamp * time_base - self._start)

    def _time_of(self, frame: VideoFrame) -> float:
        """Seconds since the beginning. A frame without a time comes one frame after the last."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None or frame.time_base is None:
            return 0.0 if self._last < 0 else self._last + float(1 / self.rate)
        if self._start is None:
            self._start = stamp * frame.time_base
        return float(stamp * frame.time_base - self._start)

    def _pixels(self, frame: VideoFrame) -> RGBImage:
        unknown_hd = frame.colorspace == colors.UNKNOWN and frame.height >= colors.HD_HEIGHT
        space = colors.BT709 if unknown_hd else None  # None: that of the frame
        converted = self._converter.reformat(
            frame, format="rgb24", src_colorspace=space, interpolation=colors.EXACT, threads=1
        )
        pixels = converted.to_ndarray()
        turns = round(frame.rotation / 90) % 4  # counterclockwise
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else np.asarray(pixels)
