from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.errors import UsageError
from boxmask.tasks.detection.writer import DetectionWriter


@pytest.mark.parametrize("min_score", [-0.1, 50])
def test_a_minimum_score_in_percent_is_refused(tmp_path: Path, min_score: float) -> None:
    with pytest.raises(UsageError, match=f"min_score.: expected 0 to 1, found {min_score:g}"):
        DetectionWriter(tmp_path, None, min_score, masks=False)
