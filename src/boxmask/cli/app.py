"""The program `boxmask`: its verbs, exit codes and error messages.

Exit codes: 0 done, 1 the work failed or the labels have errors, 2 wrong usage, 130 stopped by a signal.
Results go to stdout, progress and messages to stderr.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from cyclopts import App, Parameter
from rich.console import Console

from boxmask import __version__
from boxmask.cli.memory import keep_memory
from boxmask.errors import BoxmaskError, UsageError
from boxmask.photos.pillow_warnings import ignore_pillow_warnings
from boxmask.program_start import INTERRUPTED, STOPPED

VERBS = {
    "demo": "Generate photos, train three models on them, evaluate and draw. Works offline.",
    "check": "Check labels and photos: what is wrong, where, and what to do.",
    "train": "Train a detector, segmenter or classifier on your labeled photos.",
    "evaluate": "Evaluate a trained model on labeled photos, overall and per class.",
    "predict": "Run a trained model on photos or videos, and draw or save what it finds.",
    "explain": "Show how a model gets from a photo to its result, stage by stage.",
    "export": "Write a trained model as one ONNX file, which runs without boxmask.",
    "forecast": "Forecast how much better a model becomes with more labeled photos.",
    "compare": "Train and evaluate several models on the same photos, in one table.",
    "bench": "Measure how fast trained models and exported files are on this machine.",
    "serve": "Answer requests of other programs over HTTP with trained models.",
    "convert": "Write labels in another format, with their photos.",
    "proposals": "Propose boxes that may contain an object, by Selective Search or an RPN.",
}

app = App(
    name="boxmask",
    help="Find objects in photos, with models that you train on your own labeled photos.",
    version=__version__,
    console=Console(stderr=False),
    error_console=Console(stderr=True),
    default_parameter=Parameter(negative_iterable="", json_list=False, json_dict=False),
    suppress_keyboard_interrupt=False,  # `main` reports it
)
for verb, summary in VERBS.items():
    app.command(f"boxmask.cli.{verb}:{verb}", name=verb, help=summary)
weights = App(name="weights", help="List, describe and download weights that others published.")
weights.command("boxmask.cli.weights:list_weights", name="list", help="List the weights that boxmask knows.")
weights.command("boxmask.cli.weights:info", help="Show where weights come from, and how accurate they are.")
weights.command("boxmask.cli.weights:fetch", help="Download weights, and print where they are.")
app.command(weights)


def main() -> None:
    """Run the program. An error that is meant for the user is printed as one message, without a traceback."""
    keep_memory()
    if isinstance(sys.stdout, TextIOWrapper):  # escapes replace characters that the terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    ignore_pillow_warnings()
    try:
        status = app(sys.argv[1:], result_action="return_value")
    except BoxmaskError as error:
        print(f"boxmask: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        print(STOPPED, end="", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the program that reads the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # for example a full disk or a read-only folder
        print(f"boxmask: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
