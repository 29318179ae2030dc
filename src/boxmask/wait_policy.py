"""How idle threads wait: the setting that keeps training fast while other programs use the CPU.

OpenMP, which runs torch's loops on a CPU, lets a thread that reaches a barrier spin until the others arrive.
If one of them is not running, because another program has its core, all the others waste their time. With the
passive policy they sleep, and the core does the work. `benchmarks/busy.py` measures both.
"""

from __future__ import annotations

import os
import sys

VARIABLE = "OMP_WAIT_POLICY"


def set_wait_policy() -> bool:
    """Let OpenMP's threads sleep at barriers. Returns whether the setting takes effect.

    OpenMP reads the variable once, when torch loads. So this does nothing once torch is loaded, and it never
    changes a value that the user has set.
    """
    if "torch" in sys.modules or VARIABLE in os.environ:
        return False
    os.environ[VARIABLE] = "PASSIVE"
    return True
