"""Measure how fast a model is on this machine: latency, throughput, memory, and where the time goes."""
