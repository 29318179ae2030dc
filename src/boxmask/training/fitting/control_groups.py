"""The memory that Linux's control groups leave to this process, as in a container or a batch job.

Version 2: https://docs.kernel.org/admin-guide/cgroup-v2.html, "Memory Interface Files"; version 1:
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
GROUPS = Path("/proc/self/cgroup")

# for each version: the limit, what is used, and the files' pages among it that the system can drop
FILES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def memory_left_in_groups(root: Path = ROOT, groups: Path = GROUPS) -> list[int]:
    """Return the bytes left in each control group with a limit that this process is in.

    Empty if there is none, and on other systems than Linux.
    """
    left = [_memory_left(folder, version) for folder, version in _folders(root, groups)]
    return [count for count in left if count is not None]


def _folders(root: Path, groups: Path) -> list[tuple[Path, int]]:
    """The folders of the process's groups, and of the groups around them, with their version.

    A container sees its own group as the root, though the name in the file may be that of the host.
    """
    folders = []
    for line in _read(groups).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        version, top = (1, root / "memory") if controllers else (2, root)
        inside = Path(name.lstrip("/"))
        folders += [(top / folder, version) for folder in (inside, *inside.parents)]
    return folders


def _memory_left(folder: Path, version: int) -> int | None:
    """The bytes left in one group; None if it has no limit."""
    limit, usage, droppable = FILES[version]
    texts = [_read(folder / name).strip() for name in (limit, usage)]
    if not all(text.isdigit() for text in texts):  # "max", or no such file
        return None
    fields = dict(
        line.split(maxsplit=1) for line in _read(folder / "memory.stat").splitlines() if " " in line
    )
    dropped = int(fields.get(droppable, 0))
    return max(0, int(texts[0]) - int(texts[1]) + dropped)


def _read(path: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
