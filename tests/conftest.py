"""What several tests need: the real photos, if they are here; a small data set, and a training on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from boxmask.training.recipe import Recipe


@pytest.fixture(scope="session", autouse=True)
def _a_cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor write the proposals that the user's own trainings keep."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXMASK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real labelled photos beside the project, or skip."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real photos in {folder}")
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set: 18 photos to train, 2 to validate, 4 to test. Not to be changed."""
    from boxmask.data.demo import make_demo

    return make_demo(tmp_path_factory.mktemp("demo") / "digits", photos=24)


@pytest.fixture(scope="session")
def quick() -> Recipe:
    """A training of nine steps that takes three seconds; it learns next to nothing."""
    from boxmask.training.recipe import Recipe

    return Recipe(
        backbone="test_resnet", weights="none", size=64, batch_size=2, epochs=1, workers=0, validations=1
    )


@pytest.fixture(scope="session")
def trained(demo: Path, quick: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished quick training on `demo`, in one thread. Not to be changed."""
    import torch

    from boxmask.training.train import train

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run, _ = train(demo, quick, tmp_path_factory.mktemp("trained") / "run")
    torch.set_num_threads(before)
    return run.folder
