"""What `explain` returns: the stages of a photo's way through a model, and the model's result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from boxmask.types import Classification, Detections, SegmentationMap

if TYPE_CHECKING:
    from boxmask.visualization.style import RGBImage

Result: TypeAlias = Detections | SegmentationMap | Classification


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of a photo's way through a model.

    name:    one word or several with hyphens, for the names of files
    title:   a short heading
    text:    what the stage does, in plain sentences, with what it did in this photo
    picture: (H, W, 3) uint8 RGB
    data:    what the picture shows, and more: numbers, texts, numpy arrays, and lists and dictionaries of
             them; boxes are xyxy in pixels of the photo
    """

    name: str
    title: str
    text: str
    picture: RGBImage = field(repr=False)
    data: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def summary(self) -> str:
        """The first sentence of the text."""
        first, separator, _ = self.text.partition(". ")
        return first + separator.rstrip()


@dataclass(frozen=True, eq=False)
class Explanation:
    """The stages of a photo's way through a model, in their order. It is a sequence of stages.

    model:  the name of the method, such as "faster-rcnn"
    stages: the last one shows the result
    result: what `predict` returns for the photo
    """

    model: str
    stages: tuple[Stage, ...] = field(repr=False)
    result: Result

    def __len__(self) -> int:
        return len(self.stages)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    @overload
    def __getitem__(self, index: int | str) -> Stage: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Stage, ...]: ...

    def __getitem__(self, index: int | str | slice) -> Stage | tuple[Stage, ...]:
        """A stage by its number, from 0, or by its name. Raises IndexError or KeyError."""
        if isinstance(index, str):
            found = [stage for stage in self.stages if stage.name == index]
            if not found:
                raise KeyError(f"{index!r}; the stages are {', '.join(stage.name for stage in self.stages)}")
            return found[0]
        return self.stages[index]

    def contact_sheet(self) -> RGBImage:
        """All pictures in one, with their titles."""
        from boxmask.visualization.contact_sheet import contact_sheet

        captions = [f"{number}. {stage.title}" for number, stage in enumerate(self.stages, start=1)]
        pictures = [stage.picture for stage in self.stages]
        return contact_sheet(pictures, columns=3, width=1800, captions=captions)

    def save(self, folder: str | Path) -> list[Path]:
        """Write the pictures as JPEG files, with a text and a contact sheet; returns the files.

        Files of an earlier call in this folder are removed. Raises UsageError if a file would replace one
        that boxmask did not write, and OutputError if the folder is not writable.
        """
        from boxmask.explaining.save import save_explanation

        return save_explanation(self, Path(folder)).files
