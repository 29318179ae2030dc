"""The account of a mended copy is complete: the original is the copy and what changes.txt lists."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED
from boxmask.doctor.check import check_data
from boxmask.doctor.fix.absences import count_absences
from boxmask.doctor.fix.fix import MendedCopy, fix_data
from boxmask.errors import LabelError, UsageError

HERE = Path(__file__).resolve()
for folder in (HERE.parents[3] / "benchmarks", HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from raw_objects import FORMATS, count_objects, photo_files  # noqa: E402

from damaged_data.corpus import Case, Corpus, all_cases  # noqa: E402
from damaged_data.damage import DAMAGES  # noqa: E402


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def cases() -> list[Case]:
    """Two formats of each damage, others from damage to damage."""
    chosen = []
    for number, damage in enumerate(DAMAGES):
        formats = [form for form in damage.formats if form in FORMATS]
        picked = dict.fromkeys(formats[(number + step) % len(formats)] for step in (1, 3) if formats)
        chosen += [Case(damage, form) for form in picked]
    return chosen


def check_account(form: str, original: Path, copy: MendedCopy) -> None:
    """Compare the objects and photos of a data set with its copy and the account of it."""
    listed_files = {
        Path(absence.place.file)
        for absence in copy.absences
        if absence.kind in (FILE_UNREADABLE, FILE_UNUSED)
    }
    before = sum(number for file, number in count_objects(form, original).items() if file not in listed_files)
    after = sum(count_objects(form, copy.path).values())
    removed = sum("removed, box" in change.what for change in copy.changes)
    assert before == after + removed + sum(absence.num_objects for absence in copy.absences)
    absent = {Path(absence.place.file) for absence in copy.absences if absence.num_photos}
    assert len(photo_files(original) - absent) == len(photo_files(copy.path))
    lines = (copy.path / "changes.txt").read_text(encoding="utf-8").splitlines()
    assert all(str(change) in lines for change in copy.changes)
    assert all(f"  {absence}" in lines for absence in copy.absences)
    assert (f"Not in the copy ({count_absences(copy.absences)}):" in lines) == bool(copy.absences)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_original_is_the_copy_and_what_the_account_lists(
    corpus: Corpus, case: Case, tmp_path: Path
) -> None:
    original = corpus.build(case).folder
    try:
        copy = fix_data(check_data(original), tmp_path / "out", photos="link")
    except (LabelError, UsageError):  # nothing is written; see test_whole_set.py
        assert not (tmp_path / "out").exists()
        return
    check_account(case.format, original, copy)


def test_every_damage_is_tried() -> None:
    tried = {case.damage.name for case in cases()}
    assert tried == {case.damage.name for case in all_cases() if case.format in FORMATS}
