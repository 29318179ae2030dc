from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader

from boxmask.kernels import nms, roi_align
from boxmask.kernels.threads import parallel_for

needs_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
FEATURE = torch.arange(2 * 16 * 20 * 20.0).reshape(2, 16, 20, 20)
ROIS = torch.tensor([[0, 1.0, 1, 15, 12], [1, 3, 2, 9, 18]]).repeat(50, 1)


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def pooled_sum() -> float:
    return float(roi_align(FEATURE, ROIS, 7, 1.0, 2).sum())


class Pooled(torch.utils.data.Dataset[float]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return pooled_sum()


def test_every_task_runs_once() -> None:
    done: list[int] = []
    parallel_for(done.append, range(1000))
    assert sorted(done) == list(range(1000))


def test_no_tasks() -> None:
    parallel_for(lambda _: None, [])


def test_tasks_run_in_parallel() -> None:
    meeting = threading.Barrier(2)  # passes only if two threads wait at the same time
    parallel_for(lambda _: meeting.wait(timeout=20), range(2))


def test_an_exception_in_a_helper_is_raised() -> None:
    meeting = threading.Barrier(2)

    def work(task: int) -> None:
        meeting.wait(timeout=20)
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("in a helper")

    with pytest.raises(ValueError, match="in a helper"):
        parallel_for(work, range(2))


def test_nested_calls_do_not_deadlock() -> None:
    done: list[int] = []
    parallel_for(lambda _: parallel_for(done.append, range(10)), range(8))
    assert len(done) == 80


def test_concurrent_calls() -> None:
    expected = pooled_sum()
    with ThreadPoolExecutor(6) as callers:
        assert set(callers.map(lambda _: pooled_sum(), range(60))) == {expected}


@needs_fork
def test_a_forked_child_creates_its_own_pool() -> None:
    expected = pooled_sum()  # the parent's pool exists now
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()

    def child() -> None:
        done: list[int] = []
        parallel_for(done.append, range(100))
        torch.set_num_threads(1)  # PyTorch's own pool does not work after a fork
        results.put((len(done), pooled_sum()))

    process = context.Process(target=child)
    process.start()
    process.join(timeout=60)
    assert process.exitcode == 0
    assert results.get() == (100, expected)


@needs_fork
def test_in_the_workers_of_a_data_loader() -> None:
    expected = pooled_sum()
    loader = DataLoader(Pooled(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert list(loader) == [expected] * 4


@pytest.mark.slow
def test_in_a_spawned_process() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10]])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(nms, boxes, torch.tensor([0.5, 0.6]), 0.5).result(timeout=120).tolist() == [1]
        pooled = pool.submit(roi_align, FEATURE, ROIS, 7, 1.0, 2).result(timeout=120)
    assert torch.equal(pooled, roi_align(FEATURE, ROIS, 7, 1.0, 2))
