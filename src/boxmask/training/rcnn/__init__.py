"""The parts of R-CNN that are trained without gradient descent."""
