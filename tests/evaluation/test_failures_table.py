"""What failed, as tables for the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.console import Console

from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.failures.contract import FailureAnalysis

A, B = (10, 10, 30, 30), (50, 50, 90, 90)


def printed(failures: FailureAnalysis) -> str:
    output = io.StringIO()
    Console(file=output, width=110).print(failures.tables())
    return output.getvalue()


def test_errors_confusions_and_photos_are_shown(labeled: Callable, detected: Callable) -> None:
    names = ("[b]cat", "dog")
    dataset = labeled([("[b]cat", A), ("dog", B)], [("[b]cat", B)], class_names=names)
    found = [detected(("[b]cat", 0.9, A), ("[b]cat", 0.8, B), class_names=names)]
    text = printed(analyze_failures(dataset, [*found, detected(class_names=names)]))
    assert "of AP50 0.252" in text  # half of the cats, and no dog
    lines = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    assert "class object of another class 0.500 1 0" in lines
    assert "[b]cat background 1" in lines
    assert "1.jpg 1 object is not found" in lines


def test_photos_without_objects_have_no_table_of_errors(labeled: Callable, detected: Callable) -> None:
    text = printed(analyze_failures(labeled([], []), [detected(("cat", 0.9, A)), detected()]))
    assert "AP50" not in text
    assert "0.jpg" in text
    assert "1.jpg" not in text  # nothing failed there
