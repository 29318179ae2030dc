"""The parts of R-CNN that are fitted without gradient descent."""
