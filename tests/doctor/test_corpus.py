"""Each damage of the corpus (benchmarks/damaged_data) is found with the right id, file and line.

Each damage is tried in two of its formats; `make bench-doctor` tries it in all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxmask.doctor.check import check_data

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

from damaged_data.absent import absent_formats  # noqa: E402
from damaged_data.corpus import Built, Case, Corpus, all_cases  # noqa: E402
from damaged_data.damage import DAMAGES, Damage  # noqa: E402
from damaged_data.judge import false_findings, judge  # noqa: E402


def two_formats_each() -> list[Case]:
    """Other formats from damage to damage, so that all are tried."""
    cases = []
    for number, damage in enumerate(DAMAGES):
        formats = dict.fromkeys(damage.formats[(number + step) % len(damage.formats)] for step in (0, 4))
        cases += [Case(damage, name) for name in formats]
    return cases


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def describe(built: Built) -> str:
    """What was expected and found, for a failing test."""
    expected = "\n".join(f"expected {entry}" for entry in built.expected)
    found = "\n".join(f"found {finding.kind.id}: {finding}" for finding in check_data(built.folder))
    return f"{expected}\n{found}".replace(str(built.folder), "")


def test_the_corpus_is_large() -> None:
    assert len(list(all_cases())) > 500
    assert {case.format for case in two_formats_each()} == {case.format for case in all_cases()}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_each_format_has_the_damage_or_a_reason_why_not(damage: Damage) -> None:
    assert [name for name, reason in absent_formats(damage) if not reason] == []


@pytest.mark.parametrize("case", two_formats_each(), ids=str)
def test_a_damage_is_found(corpus: Corpus, case: Case) -> None:
    built = corpus.build(case)
    verdict = judge(built, check_data(built.folder))
    assert verdict.line, describe(built)
    assert not verdict.false, describe(built)


TWINS = {(case.damage.twin, case.format): case for case in two_formats_each()}


@pytest.mark.parametrize("case", TWINS.values(), ids=[f"{twin.__name__} [{name}]" for twin, name in TWINS])
def test_a_sound_twin_has_no_errors_or_warnings(corpus: Corpus, case: Case) -> None:
    built = corpus.build_twin(case)
    assert not false_findings(check_data(built.folder)), describe(built)
