"""The kinds of labels that there are, and what training does with each."""
