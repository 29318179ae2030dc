"""Other programs that check data sets, each behind a function that gives its findings in one form.

These modules import nothing of boxmask: they run in an environment of their own (see `run.py`).
"""
