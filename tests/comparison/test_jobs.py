"""The work on each model of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.comparison.jobs import given_jobs


def test_given_models_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [Path(name) for name in ("a b", "a-b", "x/a b", "A-b", "n" * 200)]
    for run in runs:
        run.mkdir(parents=True)
    slugs = [job.slug for job in given_jobs(runs, ())]
    assert len({slug.lower() for slug in slugs}) == len(runs)
    assert all(len(slug) < 100 and "/" not in slug and " " not in slug for slug in slugs)
    assert given_jobs([runs[0].absolute()], ())[0].slug == slugs[0]
