"""Labels of objects are converted without torch: it would take half a gigabyte and seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from pathlib import Path
from boxmask.data.conversion.convert import convert

convert(Path(sys.argv[1]), "yolo", Path(sys.argv[2]))
print(json.dumps([name for name in ("torch", "matplotlib") if name in sys.modules]))
"""


def test_labels_are_converted_without_slow_imports(demo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(demo), str(tmp_path / "yolo")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == []
