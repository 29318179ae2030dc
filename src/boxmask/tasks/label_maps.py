"""Options of `boxmask evaluate` for label maps."""

from __future__ import annotations

from pathlib import Path

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.tasks.contract import LabelOptions


def check_no_label_map_options(run: Path, options: LabelOptions) -> None:
    """Raise UsageError for options that only segmenters have."""
    if options.classes_file is not None or options.on_unknown_colors is not None:
        raise UsageError(
            f"{option('classes_file')} and {option('on_unknown_colors')} are for segmenters, and {run} holds "
            "another model. Leave them out."
        )
