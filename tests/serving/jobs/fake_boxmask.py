"""A program in place of boxmask. The seed says what happens: the command ends, waits, fails or is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

ENDS, WAITS, FAILS, IS_KILLED, SLOW_TO_STOP = 0, 1, 2, 3, 4


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main() -> int:
    folder = Path(option("--out"))
    seed_file = folder / "seed.txt"
    resumed = "--resume" in sys.argv
    seed = ENDS if resumed and seed_file.exists() else int(option("--seed", "0"))
    say("started: " + " ".join(sys.argv[1:]))
    if seed == FAILS:
        say("boxmask: photo.jpg: this photo is damaged.\nRestore it.")
        return 1
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    folder.mkdir(parents=True, exist_ok=True)
    seed_file.write_text(str(seed))
    if sys.argv[1] == "train":
        (folder / "recipe.json").write_text(json.dumps({"data": option("--out"), "recipe": {"model": "ssd"}}))
        (folder / "resume.safetensors").touch()
        row = {"stage": "training", "step": 4, "minutes": 0.5, "box": 1.5, "images_per_second": 8.0}
        (folder / "log.jsonl").write_text(json.dumps(row) + "\n")
    if seed == IS_KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    while seed in (WAITS, SLOW_TO_STOP) and not stopped:
        time.sleep(0.02)
    if stopped:
        time.sleep(1.0 if seed == SLOW_TO_STOP else 0)
        say(f"stopped; continue with: boxmask train --resume --out {folder}")
        return 130
    (folder / "resume.safetensors").unlink(missing_ok=True)
    (folder / "last.safetensors").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
