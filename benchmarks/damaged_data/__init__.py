"""Small data sets in every label format, each damaged in one place, and sound twins of them.

scenes   photos with objects, generated
sample   a data set in memory
writers  a writer per format, independent of boxmask's
damages  functions that each damage one thing, and say what must be found
corpus   all of them, and how to build them
"""
