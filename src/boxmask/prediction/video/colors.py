"""Colors of videos: between the brightness and two colors of a codec, and RGB."""

from __future__ import annotations

BT709 = 1  # FFmpeg's number of the colors of HD video
UNKNOWN = 2
LIMITED_RANGE = 1  # brightness from 16 to 235
HD_HEIGHT = 720  # from here on, players take unknown colors for BT.709

# FFmpeg's flags for exact rounding, besides bilinear scaling: without them, a frame gets darker by 1 of 255.
EXACT = 0x2 | 0x2000 | 0x4000 | 0x40000
