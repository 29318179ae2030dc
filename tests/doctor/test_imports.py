"""Labels are checked without torch: it would take half a gigabyte and two seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from pathlib import Path
from boxmask.doctor.check import check_data

check_data(Path(sys.argv[1]), labels_only=True)
print(json.dumps([name for name in ("torch", "matplotlib") if name in sys.modules]))
"""


def test_labels_are_checked_without_slow_imports(demo: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(demo)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == []
