"""Accept a photo in any usual form: the one doorway for training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, cast, overload

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from boxmask.errors import PhotoError
from boxmask.photos.decode import load_photo, naming, rgb_of_pil
from boxmask.photos.rgb import channels_first, to_rgb, with_channels

Photo: TypeAlias = str | Path | Image.Image | NDArray[Any] | Tensor
"""What `to_image` takes."""

ResultT = TypeVar("ResultT")


def to_image(photo: Photo) -> UInt8[Tensor, "3 H W"] | Float[Tensor, "3 H W"]:
    """A photo in any of the usual forms as a (3, H, W) RGB tensor.

    Takes a path, a PIL image, a numpy array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or a tensor (H, W),
    (1, H, W), (3, H, W) or (4, H, W); arrays and tensors are uint8, uint16, or floating point in 0..1.
    Gives uint8; arrays and tensors of floating point give float32 in 0..1 and are not rounded. Memory may
    be shared with what was given, and need not be contiguous (what comes from files lies channels-last).
    Raises PhotoError with what was expected and what was found.
    """
    if isinstance(photo, str | Path):
        return torch.from_numpy(load_photo(photo)).permute(2, 0, 1)
    if isinstance(photo, Image.Image):
        with naming(getattr(photo, "filename", "") or "PIL image"):
            return rgb_of_pil(photo)
    if isinstance(photo, np.ndarray):
        return to_rgb(channels_first(photo))
    if isinstance(photo, Tensor):
        return to_rgb(with_channels(photo))
    raise PhotoError(f"a photo: expected a path, PIL image, array or tensor, found {type(photo).__name__}")


class _OfPhotos(Protocol[ResultT]):
    """One photo in, one result out; a list in, a list out; with boxes to look at, if there are any."""

    @overload
    def __call__(
        self, photos: list[Any] | tuple[Any, ...], /, proposals: list[Tensor] | None = None
    ) -> list[ResultT]: ...

    @overload
    def __call__(self, photos: Photo, /, proposals: Tensor | None = None) -> ResultT: ...


class _MethodOfPhotos(Protocol[ResultT]):
    """The same as a method, not yet bound to its object."""

    def __get__(self, instance: object, owner: type | None = None) -> _OfPhotos[ResultT]: ...


def accepts_photos(method: Callable[..., list[ResultT]]) -> _MethodOfPhotos[ResultT]:
    """Let a method that takes a list of (3, H, W) tensors take one photo, or a list, in any usual form.

    One photo gives one result; a list (or tuple) of photos gives a list, the empty list the empty list.
    `proposals`, where they are given, are a tensor for one photo and a list for several. What a photo may be
    is said at `to_image`, which raises PhotoError for anything else.
    """

    @wraps(method)
    def with_photos(
        self: object, photos: Photo | Sequence[Photo], /, proposals: Tensor | list[Tensor] | None = None
    ) -> ResultT | list[ResultT]:
        if not isinstance(photos, list | tuple):
            one = {} if proposals is None else {"proposals": [proposals]}
            return method(self, [to_image(cast(Photo, photos))], **one)[0]
        several = {} if proposals is None else {"proposals": proposals}
        return method(self, [to_image(photo) for photo in photos], **several) if photos else []

    return cast(_MethodOfPhotos[ResultT], with_photos)
