"""A generated video with known truth: moving shapes that cross, hide one another, enter and leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

WIDTH, HEIGHT, RATE = 320, 240, 30
CLASS_NAMES = ("ball", "box")
BLOCK = 8  # pixels; the upper left corner of a frame holds its number as black and white blocks
NUM_BITS = 10
COLORS = ("#E63946", "#2A9D8F", "#F4A261", "#457B9D", "#8E44AD", "#F1C40F")


@dataclass(frozen=True)
class Shape:
    """An object: where it is, in 0..1 of the frame's width and height, and how wide and high, in pixels."""

    label: int
    path: Callable[[float], tuple[float, float]]
    size: Callable[[float], tuple[float, float]]
    first: int = 0
    last: int = 10_000

    def box(self, number: int) -> tuple[float, float, float, float]:
        seconds = number / RATE
        (x, y), (width, height) = self.path(seconds), self.size(seconds)
        x, y = x * WIDTH, y * HEIGHT
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def still(width: float, height: float) -> Callable[[float], tuple[float, float]]:
    return lambda seconds: (width, height)


SHAPES = (
    Shape(0, lambda s: (0.12 + 0.09 * s, 0.42), still(40, 40)),  # crosses the next one at 4.2 s
    Shape(0, lambda s: (0.88 - 0.09 * s, 0.46), still(44, 44)),
    Shape(1, lambda s: (0.3, 0.5 - 0.3 * math.cos(0.9 * s)), still(30, 50)),  # crosses both
    Shape(1, lambda s: (0.75, 0.8), lambda s: (30 + 4 * s, 24 + 3 * s)),  # grows
    Shape(0, lambda s: (0.5 + 0.3 * math.sin(1.3 * s), 0.82), still(26, 26)),  # passes before the one above
    Shape(1, lambda s: (-0.1 + 0.12 * (s - 2), 0.16), still(36, 28), first=60, last=290),  # enters late
)


@dataclass(frozen=True)
class Truth:
    """What one frame shows: the indices of the objects, and their boxes xyxy, clipped to the frame."""

    objects: tuple[int, ...]
    boxes: np.ndarray


def truth(number: int) -> Truth:
    rows = []
    for index, shape in enumerate(SHAPES):
        box = np.clip(shape.box(number), 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        if shape.first <= number <= shape.last and (box[2:] - box[:2] >= 8).all():
            rows.append((index, box))
    return Truth(tuple(index for index, _ in rows), np.array([box for _, box in rows]).reshape(-1, 4))


def draw_frame(number: int) -> np.ndarray:
    """The pixels (H, W, 3) of one frame; later objects lie on top."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    background = np.stack([40 + x // 8, 60 + y // 6, 90 + (x + y) // 12], axis=2).astype(np.uint8)
    canvas = Image.fromarray(background)
    pen = ImageDraw.Draw(canvas)
    for index in truth(number).objects:
        shape = SHAPES[index]
        draw = pen.ellipse if shape.label == 0 else pen.rectangle
        draw(shape.box(number), fill=COLORS[index], outline="white")
    for bit in range(NUM_BITS):
        left = bit * BLOCK
        pen.rectangle((left, 0, left + BLOCK - 1, BLOCK - 1), fill="white" if number >> bit & 1 else "black")
    return np.array(canvas)


def read_number(pixels: np.ndarray) -> int:
    """The number that `draw_frame` drew."""
    centers = [bit * BLOCK + BLOCK // 2 for bit in range(NUM_BITS)]
    return sum(1 << bit for bit, x in enumerate(centers) if pixels[BLOCK // 2, x].mean() > 128)


def write_video(
    path: Path,
    frames: int = 300,
    *,
    codec: str = "libx264",
    times: Callable[[int], int] | None = None,
    draw: Callable[[int], np.ndarray] = draw_frame,
    rotation: int = 0,
    audio: str | None = None,
) -> Path:
    """Write a video of generated frames.

    times:    the time of each frame in ms; by default, 30 frames per second
    rotation: degrees by which players turn the frames counterclockwise
    audio:    codec of a second stream with a tone
    """
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        first = draw(0)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast"} if codec == "libx264" else {}
        stream.codec_context.time_base = Fraction(1, 1000) if times else Fraction(1, RATE)
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream(audio, rate=8000, layout="mono") if audio else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number))
            frame.pts = times(number) if times else number
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
            if tone is not None:
                wave = np.sin(np.arange(8000 // RATE) * 0.3 + number).astype(np.float32)[None] * 0.2
                sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                sound.sample_rate, sound.pts = 8000, number * wave.shape[1]
                container.mux(tone.encode(sound))
        container.mux(stream.encode(None))
        if tone is not None:
            container.mux(tone.encode(None))
    return path


@dataclass(frozen=True)
class MovingScene:
    """The functions above, for tests."""

    class_names = CLASS_NAMES
    shapes = SHAPES
    rate = RATE
    size = (HEIGHT, WIDTH)
    truth = staticmethod(truth)
    draw_frame = staticmethod(draw_frame)
    read_number = staticmethod(read_number)
    write_video = staticmethod(write_video)

    def noisy(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What an imperfect detector finds in a frame: boxes, scores, labels, and the object of each (or -1).

        Boxes are off by 4 % of their size. One object in ten is missed, and each object for nine frames in a
        row once. A hidden object has a low score, or is missed. Some frames have a detection of nothing.
        """
        random = np.random.default_rng(number)
        shown = self.truth(number)
        rows = []
        for place, index in enumerate(shown.objects):
            box = shown.boxes[place]
            hidden = max((_hidden(box, other) for other in shown.boxes[place + 1 :]), default=0.0)
            gap = 40 * index + 25 <= number < 40 * index + 34
            if hidden > 0.7 or gap or random.random() < 0.1:
                continue
            size = np.tile(box[2:] - box[:2], 2)
            score = random.uniform(0.15, 0.45) if hidden > 0.3 else random.uniform(0.55, 0.99)
            rows.append((box + random.normal(0, 0.04, 4) * size, score, SHAPES[index].label, index))
        if random.random() < 0.05:
            x, y = random.uniform(30, [WIDTH - 40, HEIGHT - 40])
            rows.append(
                (np.array([x, y, x + 30, y + 30]), random.uniform(0.5, 0.7), int(random.integers(2)), -1)
            )
        rows.sort(key=lambda row: -row[1])
        boxes = np.array([row[0] for row in rows]).reshape(-1, 4).clip(0, [WIDTH, HEIGHT] * 2)
        scores, labels, objects = (np.array([row[k] for row in rows]) for k in (1, 2, 3))
        return boxes.astype(np.float32), scores.astype(np.float32), labels.astype(np.int64), objects


def _hidden(box: np.ndarray, other: np.ndarray) -> float:
    """The fraction of a box that another covers."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(sides.clip(0).prod() / (box[2:] - box[:2]).prod())


@pytest.fixture(scope="session")
def moving_scene() -> MovingScene:
    return MovingScene()
