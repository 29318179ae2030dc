"""timm's ImageNet weights of any of its backbones: from the cache of its hub, or downloaded once."""

from __future__ import annotations

import contextlib
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from huggingface_hub import constants, try_to_load_from_cache
from torch import Tensor

from boxmask.errors import UsageError, WeightsError
from boxmask.messages import one_line
from boxmask.torchvision_import import timm
from boxmask.weights.download.connection import NotOnServerError
from boxmask.weights.download.fetch import fetch
from boxmask.weights.download.remote_file import RemoteFile
from boxmask.weights.state_dict import read_state_dict

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
HASH_IN_NAME = r"-([0-9a-f]{8,})\."


def timm_state(name: str) -> dict[str, Tensor]:
    """timm's state dict of a backbone with ImageNet weights.

    Raises UsageError if timm has no such backbone, and WeightsError if it has no weights of it, or if they
    cannot be downloaded or read.
    """
    state = read_state_dict(timm_file(name))
    try:
        model = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, ValueError, KeyError) as error:  # tensors that do not fit
        raise WeightsError(
            f"timm/{name}: these weights do not fit the network ({one_line(error)})"
        ) from error
    loaded: dict[str, Tensor] = model.state_dict()
    return loaded


def timm_file(name: str) -> Path:
    """The file with the weights of a backbone, downloaded unless it is on this machine.

    Raises UsageError and WeightsError as `timm_state` does.
    """
    config = _config(name)
    if (cached := _in_hub_cache(config)) is not None:
        return cached
    best, *others = remote_files(name)
    try:
        return fetch(best)
    except NotOnServerError:
        for file in others:
            with contextlib.suppress(NotOnServerError):
                return fetch(file)
        raise


def remote_files(name: str) -> list[RemoteFile]:
    """Where the weights of a backbone may be, the best first. Raises as `timm_state` does."""
    config = _config(name)
    if config.hf_hub_id:
        repository, _, revision = config.hf_hub_id.partition("@")
        blocked = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else ""
        label = repository.rpartition("/")[2]
        folder = f"{constants.ENDPOINT}/{repository}/resolve/{revision or 'main'}"
        return [
            RemoteFile(
                f"timm/{name}",
                f"{folder}/{file}",
                f"{label}{Path(file).suffix}",
                blocked=blocked,
            )
            for file in _file_names(config)
        ]
    if config.url:
        file_name = config.url.rpartition("/")[2]
        found = re.search(HASH_IN_NAME, file_name)
        return [RemoteFile(f"timm/{name}", config.url, file_name, found[1] if found else "")]
    raise WeightsError(f"timm has no ImageNet weights of {name}")


def _config(name: str) -> Any:
    """timm's description of the weights. Raises UsageError, with similar names, for an unknown backbone."""
    if name not in timm.list_models(pretrained=False) and name not in timm.list_models(pretrained=True):
        close = get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        similar = f". Similar names: {', '.join(close)}" if close else ""
        raise UsageError(f"timm has no backbone {name!r}{similar}")
    config = timm.get_pretrained_cfg(name)
    if config is None:
        raise WeightsError(f"timm has no ImageNet weights of {name}")
    return config


def _file_names(config: Any) -> list[str]:
    return [*filter(None, [config.hf_hub_filename]), *HUB_FILES]


def _in_hub_cache(config: Any) -> Path | None:
    """The file in the cache of the Hugging Face hub, if timm downloaded it before."""
    if not config.hf_hub_id:
        return None
    repository, _, revision = config.hf_hub_id.partition("@")
    for file in _file_names(config):
        found = try_to_load_from_cache(repository, file, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None
