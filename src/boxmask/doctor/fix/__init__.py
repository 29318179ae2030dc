"""`boxmask check --fix`: a mended copy of a data set, with every change and all that is left."""
