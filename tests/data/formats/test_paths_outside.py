"""No path in labels makes boxmask read or write a file outside of the data set, in any format."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.data.conftest import save_photo, voc_xml

from boxmask.data.conversion.convert import convert
from boxmask.data.detection.read import read_detection
from boxmask.data.formats.table import WRITERS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data
from boxmask.errors import BoxmaskError

FORMATS = ("coco", "createml", "csv", "cvat", "label-studio", "labelme", "via", "voc", "yolo")


class OpenedFiles:
    """An audit hook that records opened files and listed folders. Python cannot remove it."""

    def __init__(self) -> None:
        self.paths: list[str] | None = None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.paths is not None and event in ("open", "os.listdir", "os.scandir"):
            path = arguments[0]
            if isinstance(path, str | bytes | os.PathLike):
                self.paths.append(os.fsdecode(path))


_opened = OpenedFiles()


@pytest.fixture(scope="session")
def opened_files() -> OpenedFiles:
    sys.addaudithook(_opened)
    return _opened


@pytest.fixture
def outside(tmp_path: Path, opened_files: OpenedFiles) -> Iterator[Path]:
    """A folder beside the data set, with files that must be neither opened nor changed."""
    folder = tmp_path / "outside"
    save_photo(folder / "secret.png")
    (folder / "secret.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "secret.xml").write_text(voc_xml("secret.png", [("cat", 2, 3, 20, 30)]))
    before = sorted(tmp_path.iterdir()), {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    opened_files.paths = []
    yield folder
    opened, opened_files.paths = opened_files.paths, None
    assert opened
    assert [path for path in opened if Path(path).resolve().is_relative_to(folder)] == []
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before[1]
    new = {file.name for file in tmp_path.iterdir()} - {file.name for file in before[0]}
    assert new <= {"set", "out"}, "a file was written beside the data set"


def paths_to(outside: Path) -> list[str]:
    """Paths to a photo outside of the data set, in the words of labels."""
    secret = outside / "secret.png"
    relative = [f"{up}outside/secret.png" for up in ("../", "../../", "../../../")]
    return [
        *relative,
        "images/train/../../../outside/secret.png",
        "..\\outside\\secret.png",
        "%2e%2e/outside/secret.png",
        "%2e%2e%2foutside%2fsecret.png",
        "..%5Coutside%5Csecret.png",
        str(secret),
        secret.as_uri(),
        f"file:{secret}",
        f"file://localhost{secret}",
        f"/data/local-files/?d={secret}",
        "/data/local-files/?d=../outside/secret.png",
        f"~/../..{secret}",
        ".hidden/secret.png",
    ]


def use(root: Path, out: Path) -> None:
    """Read, check, convert and mend a data set, as far as it goes."""
    with suppress(BoxmaskError):
        dataset = read_detection(root, on_bad_photos="skip", on_bad_boxes="skip")
        assert not any(".." in file.split("/") for file in dataset.files.tolist())
    report = check_data(root, keep_all=True)
    with suppress(BoxmaskError):
        convert(root, "coco", out, on_bad_photos="skip", on_bad_boxes="skip")
    with suppress(BoxmaskError):
        fix_data(report, out)


@pytest.fixture(scope="session")
def write_set(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a data set in a format, whose photos have some names in the labels, and its class one name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
        from damaged_data.draft import Draft
        from damaged_data.scenes import load_sample, make_photos
        from damaged_data.writers import WRITERS as OTHER_WRITERS
    photos = tmp_path_factory.mktemp("scenes")
    make_photos(photos, seed=0)

    def write(form: str, root: Path, names: list[str], class_name: str = "") -> Path:
        sample = load_sample(photos)
        for photo, name in zip(sample.photos, names, strict=False):
            photo.name = name
        for thing in sample.objects if class_name else ():
            thing.name = class_name
        sample.class_names = [class_name] if class_name else sample.class_names
        Draft(OTHER_WRITERS[form], sample, root).write()
        return root

    return write


@pytest.mark.parametrize("form", FORMATS)
def test_photos_outside_are_missing(
    form: str, write_set: Callable[..., Path], outside: Path, tmp_path: Path
) -> None:
    root = write_set(form, tmp_path / "set", paths_to(outside))
    (root / ".hidden").symlink_to(outside)
    use(root, tmp_path / "out")
    if form not in ("yolo", "labelme", "voc"):  # those find photos by the names of their label files, too
        findings = check_data(root, labels_only=True).findings
        assert "photo-missing" in {finding.kind.id for finding in findings}


@pytest.mark.parametrize("writer", [writer.NAME for writer in WRITERS])
@pytest.mark.parametrize("name", ["../../outside/evil", "/tmp/boxmask-evil", "..", "a/../../../outside/evil"])
def test_names_of_classes_lead_nowhere(
    writer: str, name: str, write_set: Callable[..., Path], outside: Path, tmp_path: Path
) -> None:
    root = write_set("coco", tmp_path / "set", [], name)
    with suppress(BoxmaskError):
        convert(root, writer, tmp_path / "out")
        for file in (tmp_path / "out").rglob("*"):
            assert file.resolve().is_relative_to(tmp_path / "out")
    assert not Path("/tmp/boxmask-evil").exists()


# ---------------------------------------------------------------- other paths than those of photos


def special_files(outside: Path) -> dict[str, dict[str, str]]:
    """Label files that name folders, lists and photos outside, by case. {} stands for a path."""
    xml = voc_xml("a.png", [("cat", 2, 3, 20, 30)])
    yaml = "names: [cat]\ntrain: {}\nval: images\n"
    line = "0 0.5 0.5 0.5 0.5\n"
    yolo = {"labels/a.txt": line}
    folders = [str(outside), "../outside", "images/../../outside", outside.as_uri(), "%2e%2e/outside"]
    files = paths_to(outside)
    return {
        **{f"train: {folder}": {**yolo, "data.yaml": yaml.format(folder)} for folder in folders},
        **{
            f"path: {folder}": {**yolo, "data.yaml": f"path: {folder}\n{yaml.format('.')}"}
            for folder in folders
        },
        **{
            f"list: {path}": {**yolo, "data.yaml": yaml.format("list.txt"), "list.txt": f"{path}\n"}
            for path in [*files, *folders]
        },
        **{
            f"names: {folder}": {
                **yolo,
                "obj.data": f"train = {folder}/secret.txt\nnames = {folder}/secret.txt\n",
            }
            for folder in folders
        },
        **{
            f"folder: {folder}": {
                "a.xml": xml.replace(
                    "<filename>a.png</filename>",
                    f"<folder>{folder}</folder><filename>secret.png</filename><path>{folder}/secret.png</path>",
                )
            }
            for folder in folders
        },
        **{
            f"image set: {path}": {"Annotations/a.xml": xml, "ImageSets/Main/train.txt": f"a\n{path}\n"}
            for path in [*files, *(path.removesuffix(".png") for path in files)]
        },
        **{
            f"csv: {path}": {
                "a.csv": f"{path},3,2,9,7,cat\nimages/a.png,3,2,9,7,cat\n",
                "classes.csv": "cat,0\n",
            }
            for path in files
        },
    }


CASES = sorted(special_files(Path("/OUTSIDE")))


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_folders_and_lists_outside_are_not_read(number: int, outside: Path, tmp_path: Path) -> None:
    case = CASES[number].replace("/OUTSIDE", str(outside))
    save_photo(tmp_path / "set/images/a.png")
    for name, content in special_files(outside)[case].items():
        file = tmp_path / "set" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    use(tmp_path / "set", tmp_path / "out")


def test_a_split_file_names_photos_of_the_data_set_only(
    write_set: Callable[..., Path], outside: Path, tmp_path: Path
) -> None:
    root = write_set("voc", tmp_path / "set", [])
    for path in paths_to(outside):
        split = root / "split.json"
        split.write_text(f'{{"train": [{path!r}], "val": []}}'.replace("'", '"'))
        with pytest.raises(BoxmaskError):
            read_detection(root, split_file=split)


def test_links_in_the_data_set_are_followed(tmp_path: Path) -> None:
    """Whoever puts a link into the data set means its photos: labels cannot make one, and archives do not."""
    save_photo(tmp_path / "elsewhere/a.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.xml").write_text(voc_xml("a.png", [("cat", 2, 3, 20, 30)]))
    (tmp_path / "set/linked").symlink_to(tmp_path / "elsewhere")
    assert read_detection(tmp_path / "set").files.tolist() == ["linked/a.png"]
    convert(tmp_path / "set", "coco", tmp_path / "out")
    (copied,) = (tmp_path / "out/images").rglob("*.png")
    assert not copied.is_symlink()
    assert copied.read_bytes() == (tmp_path / "elsewhere/a.png").read_bytes()


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    save_photo(tmp_path / "set/b.png")
    for name in ("a", "b"):
        (tmp_path / f"set/{name}.xml").write_text(voc_xml(f"{name}.png", [("cat", 2, 3, 20, 30)]))
    (tmp_path / "set/a.png").symlink_to(tmp_path / "nowhere.png")
    errors = [
        finding for finding in check_data(tmp_path / "set").findings if finding.kind.severity == "error"
    ]
    assert [finding.kind.id for finding in errors] == ["photo-unreadable"]
    assert errors[0].detail.startswith("this link leads nowhere. Restore the photo")
    with pytest.raises(BoxmaskError, match=r"a\.png: this link leads nowhere"):
        read_detection(tmp_path / "set")
