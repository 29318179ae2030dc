"""The page loads the file, its scripts and onnxruntime-web, and nothing else."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from boxmask.certificate.browser.arrays import decode_arrays, encode_arrays
from boxmask.certificate.browser.chromium import find_web_runtime
from boxmask.certificate.browser.server import PageError, PageServer, Site
from boxmask.errors import UsageError


@pytest.fixture
def site(tmp_path: Path) -> Site:
    runtime = tmp_path / "node_modules" / "onnxruntime-web" / "dist"
    runtime.mkdir(parents=True)
    (runtime / "ort.wasm.min.mjs").write_text("export default 1")
    (runtime.parent / "package.json").write_text('{"version": "1.30.0"}')
    (tmp_path / "model.onnx").write_bytes(b"model")
    return Site(tmp_path / "model.onnx", runtime, "ort.wasm.min.mjs", threads=2)


def read(address: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(address, body), timeout=10) as response:
        content: bytes = response.read()
        return content


def test_what_the_page_loads(site: Site) -> None:
    with PageServer(site) as server:
        page = server.address.removesuffix("index.html")
        assert b"run.mjs" in read(f"{page}index.html")
        assert read(f"{page}model.onnx") == b"model"
        assert read(f"{page}ort/ort.wasm.min.mjs") == b"export default 1"
        assert b'"threads": 2' in read(f"{page}settings.json")


@pytest.mark.parametrize("path", ["server.py", "ort/../model.onnx", "ort/package.json", "../model.onnx", ""])
def test_other_paths_do_not_exist(site: Site, path: str) -> None:
    with PageServer(site) as server, pytest.raises(urllib.error.HTTPError, match="404"):
        read(server.address.removesuffix("index.html") + path)


def test_without_the_token_nothing_is_served(site: Site) -> None:
    with PageServer(site) as server, pytest.raises(urllib.error.HTTPError, match="404"):
        read(server.address.replace(site.token, "another-token"))


def test_jobs_and_results(site: Site) -> None:
    site.jobs.put(b"job")
    with PageServer(site) as server:
        page = server.address.removesuffix("index.html")
        assert read(f"{page}job") == b"job"
        read(f"{page}result", b"result")
        read(f"{page}error", b"no such operator")
    assert site.results.get_nowait() == b"result"
    error = site.results.get_nowait()
    assert isinstance(error, PageError)
    assert str(error) == "no such operator"


def test_arrays_survive_the_way_there_and_back() -> None:
    arrays = {
        "photos": np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3),
        "sizes": np.array([[2, 2]], dtype=np.int64),
        "boxes": np.zeros((0, 4), dtype=np.float32),
        "masks": np.array([[[True, False]]]),
    }
    found, header = decode_arrays(encode_arrays(arrays, outputs=["boxes"]))
    assert header["outputs"] == ["boxes"]
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.writeable
    with pytest.raises(ValueError, match="photos: expected one of uint8"):
        decode_arrays(encode_arrays({"photos": np.zeros(1, dtype=np.float64)}))


@pytest.mark.parametrize("place", ["", "node_modules/onnxruntime-web", "node_modules/onnxruntime-web/dist"])
def test_where_npm_has_installed_it(site: Site, tmp_path: Path, place: str) -> None:
    found = find_web_runtime(tmp_path / place)
    assert (found.folder, found.script, found.version) == (site.runtime, site.script, "1.30.0")


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--browser .*: there is no onnxruntime-web in this folder\. Install"
    ):
        find_web_runtime(tmp_path)
