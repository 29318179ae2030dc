from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
sys.modules["cv2"] = None  # as if OpenCV were not installed
from boxmask.supervision_import import import_supervision
print(import_supervision().__name__)
"""


def test_importing_supervision_without_opencv_warns_of_nothing() -> None:
    done = subprocess.run([sys.executable, "-W", "default", "-c", CODE], capture_output=True, text=True)
    assert done.stdout == "supervision\n", done.stderr
    assert "OpenCV" not in done.stderr
