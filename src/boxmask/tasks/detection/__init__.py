"""Objects in boxes, with or without masks."""
