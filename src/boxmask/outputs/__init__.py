"""The files that boxmask wrote. It replaces and removes no others, and does not read its own as labels."""

from boxmask.outputs.files import (
    add_to_job,
    begin_job,
    check_replaceable,
    is_output,
    is_unchanged_output,
    note_on_outputs,
    remove_outputs,
    split_outputs,
    write_output,
)

__all__ = [
    "add_to_job",
    "begin_job",
    "check_replaceable",
    "is_output",
    "is_unchanged_output",
    "note_on_outputs",
    "remove_outputs",
    "split_outputs",
    "write_output",
]
