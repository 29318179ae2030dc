"""How idle threads wait: the setting that keeps training fast while other programs use the CPU.

OpenMP, which runs torch's loops on a CPU, lets a thread that reaches a barrier spin until the others arrive.
If one of them is not running, because another program has its core, all the others waste their time. With
boxmask's setting they spin for a few microseconds, which is enough on a quiet machine, and then sleep.
`benchmarks/busy.py` measures it beside OpenMP's default.
"""

from __future__ import annotations

import os
import sys

SETTING = {
    "OMP_WAIT_POLICY": "PASSIVE",  # sleep at barriers
    "GOMP_SPINCOUNT": "500",  # GNU's OpenMP only: spin so often before; docs/decisions/0019
}


def set_wait_policy() -> bool:
    """Let OpenMP's threads sleep at barriers. Returns whether the setting takes effect.

    OpenMP reads these variables once, when torch loads. So this does nothing once torch is loaded, and it
    changes nothing if the user has set one of them.
    """
    if "torch" in sys.modules or any(name in os.environ for name in SETTING):
        return False
    os.environ.update(SETTING)
    return True
