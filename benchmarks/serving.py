"""Load on `boxmask serve`: `python benchmarks/serving.py model.onnx --photo photo.jpg`.

Sixteen clients send one photo after another over loopback. Prints answered photos per second beside those of
`boxmask bench` on the same photo file, seconds per request, statuses, and the memory of the server after the
first tenth of the time and at the end. `boxmask bench` runs before and after the load, because other work on
the machine slows both. Then four times as many clients as the queue holds photos ask for a while: the server
must refuse quickly, and answer again afterwards.

Bounds: no status but 200, 80 % of the speed of `boxmask bench`, 5 % more memory. Exits with 1 if one is
exceeded. Clients and server share the cores.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from PIL import Image
from sklearn.datasets import load_sample_images

import boxmask

MIN_SHARE, MAX_GROWTH = 0.8, 0.05
OVERLOAD, OVERLOAD_SECONDS = 4, 10  # clients per photo in the queue
QUEUE = 64
BOUNDARY = "boxmask-photo"


@dataclass
class Load:
    """What clients saw.

    seconds: of each request, by status
    """

    elapsed: float = 0.0
    seconds: dict[int, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def photos_per_second(self) -> float:
        return len(self.seconds.get(200, ())) / self.elapsed

    def describe(self) -> str:
        parts = [f"{self.photos_per_second:.1f} photos/s"]
        for status, seconds in sorted(self.seconds.items()):
            p95 = sorted(seconds)[int(0.95 * len(seconds))]
            middle = statistics.median(seconds)
            parts.append(f"{len(seconds)} × {status} in {middle:.3f} s (p95 {p95:.3f} s)")
        return "; ".join(parts + [f"{count} × {name}" for name, count in self.failures.items()])


def main() -> int:
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        photo = arguments.photo or _sample(Path(scratch))
        before = _bench(arguments, photo)
        with _server(arguments.model) as (url, process):
            send(url, photo, arguments.clients, min(5, arguments.seconds / 10))
            start = process.memory_info().rss
            load = send(url, photo, arguments.clients, arguments.seconds)
            end = process.memory_info().rss
            print(f"{arguments.clients} clients: {load.describe()}")
            overload = send(url, photo, OVERLOAD * QUEUE, OVERLOAD_SECONDS)
            print(f"{OVERLOAD * QUEUE} clients: {overload.describe()}")
            recovered = send(url, photo, 1, 3)
            print(f"1 client afterwards: {recovered.describe()}")
        after = _bench(arguments, photo)
    bench = statistics.mean((before, after))
    share, growth = load.photos_per_second / bench, end / start - 1
    print(f"boxmask bench: {before:.1f} and {after:.1f} photos/s; the server reaches {share:.0%}")
    print(f"memory: {start / 2**20:.0f} MB, then {end / 2**20:.0f} MB ({growth:+.1%})")
    clean = set(load.seconds) == {200} == set(recovered.seconds) and not load.failures
    return int(not clean or share < MIN_SHARE or growth > MAX_GROWTH)


def send(url: str, photo: Path, clients: int, seconds: float) -> Load:
    """Let clients ask for some seconds, each one request after another."""
    body = _form(photo)
    load, lock = Load(), threading.Lock()
    begin = time.monotonic()

    def ask() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        while (start := time.monotonic()) < begin + seconds:
            try:
                connection.request("POST", "/v1/predict", body, headers)
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                with lock:
                    load.failures[type(error).__name__] += 1
                continue
            with lock:
                load.seconds.setdefault(reply.status, []).append(time.monotonic() - start)
            if reply.status == 429:
                time.sleep(min(seconds, float(reply.headers["Retry-After"])))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.elapsed = time.monotonic() - begin
    return load


def _form(photo: Path) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename="photo.jpg"\r\n\r\n'
    return head.encode() + photo.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def _server(model: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server in a process of its own: its address, and the process."""
    command = [sys.executable, "-m", "boxmask", "serve", str(model), "--port", "0", "--queue", str(QUEUE)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert started.stdout is not None
        line = next(line for line in started.stdout if "serving at" in line)
        yield line.split("serving at ")[1].partition(";")[0], psutil.Process(started.pid)
        started.terminate()
        print(f"the server ended with {started.wait(60)} after SIGTERM")
    finally:
        started.kill()
        started.wait()


def _bench(arguments: argparse.Namespace, photo: Path) -> float:
    """The best speed of `boxmask bench` on the photo file."""
    result = boxmask.bench(arguments.model, photos=photo, batch=(1,), max_minutes=arguments.bench_minutes)
    print(result, file=sys.stderr)
    return max(row.photos_per_second_from_files or 0.0 for row in result.rows)


def _sample(folder: Path) -> Path:
    """A photo of scikit-learn's."""
    Image.fromarray(load_sample_images().images[0]).save(folder / "photo.jpg", quality=90)
    return folder / "photo.jpg"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="a run or an exported file")
    parser.add_argument("--photo", type=Path, help="default: a photo of 640 x 427 pixels")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--bench-minutes", type=float, default=0.5)
    return parser


if __name__ == "__main__":
    sys.exit(main())
