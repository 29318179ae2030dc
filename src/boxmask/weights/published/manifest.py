"""The manifest: which published weights boxmask knows, and where they are. torch is not imported."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from boxmask.errors import WeightsError
from boxmask.file_kinds import is_file, is_folder
from boxmask.weights.download.remote_file import RemoteFile

MANIFEST = Path(__file__).with_name("manifest.toml")
BUNDLED = "tf_efficientnet_lite0"  # the backbone whose ImageNet weights are installed with boxmask
HUB_ADDRESS = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>[^/]+)$")
TORCHVISION, TIMM = "torchvision/", "timm/"  # the beginnings of names


@dataclass(frozen=True)
class PublishedWeights:
    """An entry of the manifest.

    name:           torchvision/NETWORK or timm/BACKBONE
    finds:          "boxes", "masks", "label maps" or "classes" (a backbone, trained on ImageNet)
    model:          of boxmask that loads them, as in --model; "" for backbones
    address:        of the file
    file_name:      in the cache
    sha256:         the beginning of its checksum; "" if the publisher names none
    mebibytes:      its size
    parameters:     number of parameters
    license:        of the weights, as far as the publisher names it
    metrics:        as published, by name, fractions of 1
    measured_on:    the data of the metrics
    source:         where the metrics are published
    installed:      whether they are installed with boxmask
    batch_norm_eps: as for `from_torchvision`
    parity:         limits of the differences from torchvision's results, by name, that the tests hold
    """

    name: str
    finds: str
    address: str
    mebibytes: float
    parameters: int
    license: str
    metrics: Mapping[str, float]
    measured_on: str
    source: str
    model: str = ""
    file_name: str = ""
    sha256: str = ""
    batch_norm_eps: float | None = None
    installed: bool = False
    parity: Mapping[str, float] = field(default_factory=dict)

    @property
    def network(self) -> str:
        """The publisher's name of the network."""
        return self.name.partition("/")[2]

    @property
    def trained_on(self) -> str:
        """The data of the training: that of the metrics, but its training photos."""
        return self.measured_on.replace("val", "train")

    @property
    def file(self) -> RemoteFile:
        """The file to download."""
        file_name = self.file_name or self.address.rpartition("/")[2]
        return RemoteFile(self.name, self.address, file_name, self.sha256)

    @property
    def is_here(self) -> bool:
        """Whether they are on this machine, so that nothing is downloaded."""
        return self.installed or self.path_here is not None

    @property
    def path_here(self) -> Path | None:
        """Where a copy of the file is: in torch hub's folder, or in the cache of the Hugging Face hub."""
        if self.file.path.is_file():
            return self.file.path
        found = HUB_ADDRESS.search(self.address)
        if found is None:
            return None
        from huggingface_hub import try_to_load_from_cache

        copy = try_to_load_from_cache(found["repository"], found["file"], revision=found["revision"])
        return Path(copy) if isinstance(copy, str) else None


@cache
def published_weights() -> dict[str, PublishedWeights]:
    """All entries by name, in the order of the manifest."""
    return {entry["name"]: PublishedWeights(**entry) for entry in _read()["weights"]}


@cache
def unsupported_weights() -> dict[str, str]:
    """torchvision's other networks for detection and segmentation: name -> why boxmask cannot load them."""
    return {entry["name"]: entry["reason"] for entry in _read()["unsupported"]}


def _read() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(MANIFEST.read_text(encoding="utf-8"))


def is_published_name(path: Path) -> bool:
    """Whether a path that a user gave is no file but a name of weights: torchvision/... or timm/..."""
    name = path.as_posix()
    is_name = name.startswith((TORCHVISION, TIMM)) and name.count("/") == 1
    return is_name and not is_file(path) and not is_folder(path)


def training_data(name: str) -> str:
    """The data that published weights were trained on; "" for one of timm's backbones without an entry.

    Raises WeightsError as `find_weights` does.
    """
    if name.startswith(TIMM) and name not in published_weights():
        return ""
    return find_weights(name).trained_on


def find_weights(name: str) -> PublishedWeights:
    """The entry of a name. Raises WeightsError, with similar names, for any other."""
    if name in unsupported_weights():
        raise WeightsError(f"{name}: boxmask cannot load these weights: {unsupported_weights()[name]}.")
    known = published_weights()
    if name not in known:
        close = get_close_matches(name, known, n=3, cutoff=0.5)
        similar = f"Similar names: {', '.join(close)}. " if close else ""
        raise WeightsError(f"{name}: there are no such weights. {similar}See boxmask weights list.")
    return known[name]
