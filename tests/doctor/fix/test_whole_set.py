"""Mistakes of all labels: mended, or no copy is written. Nothing hides them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxmask.data.checks.consequences import ABOUT_ALL_LABELS
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.fix import fix_data
from boxmask.errors import LabelError

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

from damaged_data.corpus import Case, Corpus, all_cases  # noqa: E402

UNDECIDED = {
    ("class-shift", "yolo"),
    ("class-shift, in COCO", "coco"),
    ("split-path-wrong", "yolo"),
    ("split-path-wrong, all paths", "yolo"),
    ("coordinates-unclear", "yolo"),
    ("coordinates-exchanged", "yolo"),  # fractions always fit
    ("coordinates-exchanged", "label-studio"),
    ("coordinates-exchanged", "via"),  # without sizes, the photos may have been rotated
    ("coordinates-exchanged", "createml"),
}
"""Damages and formats in which no copy is written, beside all labels that are scaled."""

IDS = {kind.id for kind in ABOUT_ALL_LABELS}
CASES = [case for case in all_cases() if case.damage.name.partition(",")[0] in IDS]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def is_decided(case: Case) -> bool:
    name = case.damage.name
    return not name.startswith("coordinates-scaled") and (name, case.format) not in UNDECIDED


def test_every_mistake_of_all_labels_is_tried() -> None:
    assert {case.damage.name.partition(",")[0] for case in CASES} == IDS


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_of_all_labels_is_mended_or_nothing_is_written(
    corpus: Corpus, case: Case, tmp_path: Path
) -> None:
    report = check_data(corpus.build(case).folder)
    if is_decided(case):
        copy = fix_data(report, tmp_path / "out", photos="link")
        assert not copy.has_errors
        assert len(copy.changes) > 0
        return
    with pytest.raises(LabelError, match="no mended copy was written"):
        fix_data(report, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_without_names_are_no_names(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus")
    folder = corpus.build_twin(next(case for case in all_cases() if case.format == "yolo")).folder
    (folder / "data.yaml").unlink()
    with pytest.raises(LabelError, match=r"no mended copy was written[\s\S]*add the names of all classes"):
        fix_data(check_data(folder), tmp_path / "out")
