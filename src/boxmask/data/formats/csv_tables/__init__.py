"""Tables of labels as CSV. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.csv_tables.read import NAME, read, recognize, unreadable
from boxmask.data.formats.csv_tables.write import CsvWriter

WRITER = CsvWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]
