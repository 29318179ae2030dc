"""The data sets of a server, and the threads that make their pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from boxmask.serving.dataset_names import dataset_ids
from boxmask.serving.datasets.data_set import DataSet
from boxmask.serving.datasets.pictures import Thumbnails
from boxmask.serving.datasets.snapshot import Snapshot
from boxmask.serving.errors import RequestError
from boxmask.serving.state import ServerState

MAX_PICTURES = 128
"""Pictures that wait or are made; browsers ask for few at a time."""

_THREADS = 2

ResultT = TypeVar("ResultT")


class DataSets:
    """The data sets of a server by id, and the threads that work for them."""

    def __init__(self, state: ServerState) -> None:
        self.by_id = {name: DataSet(name, path) for name, path in dataset_ids(state.datasets).items()}
        self.thumbnails = Thumbnails()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
        self._waiting = 0

    def get(self, name: str) -> DataSet:
        """A data set, which is read if it was not. Raises RequestError for another id."""
        if name not in self.by_id:
            known = ", ".join(self.by_id) or "none; start the server with --data"
            raise RequestError(
                404, "unknown-dataset", f"there is no data set {name[:100]!r}; the data sets are: {known}"
            )
        self.by_id[name].start()
        return self.by_id[name]

    def photo(self, name: str, photo: int) -> tuple[DataSet, Snapshot]:
        """A data set that has a photo. Raises RequestError if there is none."""
        data = self.get(name)
        snapshot = data.snapshot
        if not 0 <= photo < len(snapshot.index.files):
            count = len(snapshot.index.files)
            raise RequestError(
                404, "unknown-photo", f"{name} has no photo {photo}: its {count:,} photos count from 0."
            )
        return data, snapshot

    async def make(self, work: Callable[[], ResultT]) -> ResultT:
        """Make a picture in a thread. Raises RequestError if too many wait."""
        if self._waiting >= MAX_PICTURES:
            raise RequestError(429, "pictures-full", "too many pictures are being made. Try again later.", 1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
