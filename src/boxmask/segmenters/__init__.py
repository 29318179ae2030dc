"""One file a paper: the class of every pixel."""
