"""boxmask weights list | info | fetch: weights that others published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boxmask.cli.output import JsonFile

if TYPE_CHECKING:
    from rich.table import Table

    from boxmask.weights.published.manifest import PublishedWeights


def list_weights(*, json_file: JsonFile = None) -> None:
    """List the weights that boxmask knows by name. Nothing is downloaded.

    Parameters
    ----------
    json_file
        File for the list as JSON; "-" prints it.
    """
    from boxmask.cli.output import check_json_file, print_metrics
    from boxmask.weights.published.manifest import published_weights

    check_json_file(json_file)
    weights = published_weights().values()
    print_metrics({entry.name: _to_json(entry) for entry in weights}, _table(list(weights)), json_file)


def info(name: str, /) -> None:
    """Show where weights come from, how accurate they are, and where their file is.

    Parameters
    ----------
    name
        Name of the weights, from boxmask weights list.
    """
    from boxmask.weights.published.manifest import find_weights

    for label, text in _description(find_weights(name)):
        print(f"{label:<12} {text}")


def fetch(names: list[str], /) -> None:
    """Download weights, check them, and print the paths of their files. Nothing is downloaded twice.

    Parameters
    ----------
    names
        Names of weights, from boxmask weights list; or timm/NAME for any backbone of timm.
    """
    from boxmask.cli.interrupts import interrupt_on_signals
    from boxmask.weights.published.fetch import fetch_weights

    interrupt_on_signals()
    for name in names:
        print(fetch_weights(name))


def _table(weights: list[PublishedWeights]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    for column in ("name", "finds", "MiB", "published", "here"):  # in 80 characters
        table.add_column(column, justify="right" if column == "MiB" else "left", no_wrap=True)
    for entry in weights:
        first_metric = _metrics(entry).partition(",")[0]
        here = "yes" if entry.is_here else ""
        table.add_row(entry.name, entry.finds, f"{entry.mebibytes:.0f}", first_metric, here)
    return table


def _metrics(entry: PublishedWeights) -> str:
    """The metrics in one line, for example "AP 0.228"."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in entry.metrics.items())


def _file(entry: PublishedWeights) -> str:
    if entry.installed:
        return "installed with boxmask: nothing is downloaded"
    return str(entry.path_here or f"{entry.file.path} (not downloaded)")


def _to_json(entry: PublishedWeights) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(entry), "path": str(entry.path_here or entry.file.path), "is_here": entry.is_here}


def _description(entry: PublishedWeights) -> list[tuple[str, str]]:
    """What `info` prints: labels and texts."""
    parity = ", ".join(
        f"{name.replace('_', ' ')} {value:.5f}".rstrip("0") for name, value in entry.parity.items()
    )
    use = f"boxmask predict {entry.name} PHOTO" if entry.model else f"--backbone {entry.network}"
    rows = [
        ("name", entry.name),
        ("finds", f"{entry.finds}, as --model {entry.model}" if entry.model else "classes (ImageNet)"),
        ("address", entry.address),
        ("sha256", f"{entry.sha256}..." if entry.sha256 else "as the server says"),
        ("size", f"{entry.mebibytes:.1f} MiB, {entry.parameters:,} parameters"),
        ("license", entry.license),
        ("published", f"{_metrics(entry)} on {entry.measured_on}"),
        ("source", entry.source),
        ("parity", f"differs from torchvision's results by less than: {parity}" if parity else ""),
        ("file", _file(entry)),
        ("use", use),
    ]
    return [(label, text) for label, text in rows if text]
