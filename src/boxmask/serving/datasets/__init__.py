"""The data sets of `boxmask serve --data`: look through photos and labels, and correct them."""
