"""A file of weights on a server, and where it lies on this machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RemoteFile:
    """A file of weights that can be downloaded.

    name:      of the weights, for messages
    address:   its http or https address
    file_name: its name in the cache
    sha256:    its checksum or the beginning of it; "" if it is unknown
    blocked:   why it must not be downloaded, for example a setting of the user; "" if it may
    """

    name: str
    address: str
    file_name: str
    sha256: str = ""
    blocked: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies, or will lie, on this machine."""
        return checkpoints_folder() / self.file_name


def checkpoints_folder() -> Path:
    """The folder `checkpoints` of torch hub, which torchvision and timm use too; torch is not imported."""
    if (torch := sys.modules.get("torch")) is not None:
        return Path(torch.hub.get_dir()) / "checkpoints"  # also after `torch.hub.set_dir`
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))  # noqa: PTH118
    return Path(home).expanduser() / "hub" / "checkpoints"
