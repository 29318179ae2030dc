"""A label file that cannot be read is one finding, whatever depends on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxmask.doctor.check import check_data

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

from damaged_data.corpus import Corpus, all_cases  # noqa: E402

FILES = {
    "coco": "annotations/instances_train.json",
    "voc": "Annotations/IMG_0005.xml",
    "labelme": "train/*.json",
    "via": "train/via_region_data.json",
    "cvat": "annotations.xml",
    "label-studio": "project-1.json",
    "csv": "train_labels.csv",
    "createml": "train/_annotations.createml.json",
}
CONTENTS = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "no text": lambda content: b"\x00\x01\xff\xfe" * 40,
    "a web page": lambda content: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("form", FILES)
def test_a_damaged_file_is_one_finding(corpus: Corpus, form: str) -> None:
    case = next(case for case in all_cases() if case.format == form and case.damage.name == "box-empty")
    folder = corpus.build_twin(case).folder
    path = sorted(folder.glob(FILES[form]))[0]
    sound = path.read_bytes()
    for name, damage in CONTENTS.items():
        if form == "csv" and name == "cut off":
            continue  # the last row is damaged only
        path.write_bytes(damage(sound))
        report = check_data(folder, labels_only=True)
        found = [
            (finding.kind.id, finding.location.file) for finding in report if finding.kind.severity == "error"
        ]
        assert found == [("file-unreadable", str(path))], name
        assert report.findings.kinds[0].id == "file-unreadable"
        assert not [kind for kind in report.kinds() if kind.id == "photo-without-label"], name
    path.write_bytes(sound)
