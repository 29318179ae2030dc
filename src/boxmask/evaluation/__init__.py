"""How good a model is: average precision of boxes, masks and their rims, by class, with intervals."""
