"""The colors of Pascal VOC's segmentation images, by index (VOCcolormap.m of its development kit)."""

from __future__ import annotations


def voc_palette() -> list[int]:
    """Red, green and blue of the 256 indices, one after the other.

    The bits of an index, three at a time, are the highest remaining bits of red, green and blue.
    """
    palette = []
    for index in range(256):
        color = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                color[channel] |= (index >> (3 * place + channel) & 1) << (7 - place)
        palette.extend(color)
    return palette
