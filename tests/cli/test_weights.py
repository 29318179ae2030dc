"""boxmask weights list, info and fetch."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from boxmask.cli.app import app
from boxmask.errors import WeightsError
from boxmask.weights.published.manifest import published_weights


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface"))


def weights(*arguments: str) -> None:
    app(["weights", *arguments], result_action="return_value")


def test_list_fits_into_80_characters(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    weights("list")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "finds", "MiB", "published", "here"]
    assert [line.split()[0] for line in lines[1:]] == list(published_weights())
    assert "…" not in "".join(lines)
    assert lines[1].split()[1:] == ["boxes", "13", "AP", "0.213"]


def test_list_as_json(capsys: pytest.CaptureFixture) -> None:
    weights("list", "--json", "-")
    entries = json.loads(capsys.readouterr().out)
    assert list(entries) == list(published_weights())
    entry = entries["torchvision/maskrcnn_resnet50_fpn"]
    assert entry["metrics"] == {"AP": 0.379, "mask_AP": 0.346}
    assert entry["path"].endswith("maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth")
    assert entry["is_here"] is False
    assert entries["timm/tf_efficientnet_lite0"]["is_here"] is True


def test_info(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    weights("info", "torchvision/maskrcnn_resnet50_fpn")
    text = capsys.readouterr().out
    for expected in (
        "finds        masks, as --model mask-rcnn\n",
        "sha256       bf2d0c1e...\n",
        "published    AP 0.379, mask AP 0.346 on COCO-val2017\n",
        f"file         {tmp_path}/hub/checkpoints/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth (not downloaded)\n",
        "use          boxmask predict torchvision/maskrcnn_resnet50_fpn PHOTO\n",
    ):
        assert expected in text


def test_fetch_prints_the_paths_of_files_that_are_there(
    capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    file = published_weights()["timm/resnet18"].file
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(b"content")
    weights("fetch", "timm/resnet18", "timm/resnet18")
    assert capsys.readouterr().out == f"{file.path}\n" * 2


def test_what_is_installed_is_not_downloaded(capsys: pytest.CaptureFixture) -> None:
    weights("fetch", "timm/tf_efficientnet_lite0")
    assert Path(capsys.readouterr().out.strip()).is_file()


def test_fetch_of_an_unknown_name() -> None:
    with pytest.raises(WeightsError, match="torchvision/resnet: there are no such weights"):
        weights("fetch", "torchvision/resnet")
