from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, numpy as np
from boxmask.cli.memory import keep_memory
assert keep_memory()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(10**7)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is kept with glibc only")
def test_freed_memory_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10  # 80 MB are 20,000 pages, or 40 huge pages
