"""What metrics measured on some photos say about all photos: intervals, and paired tests of two models."""
