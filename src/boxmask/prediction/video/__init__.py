"""Predictions on videos and cameras, with a number for each object that it keeps from frame to frame.

    file or camera -> frames -> results of a model -> tracks -> annotated video and tables

PyAV reads and writes the videos; `pip install "boxmask[video]"` installs it.
"""
