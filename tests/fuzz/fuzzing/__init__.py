"""Fuzzing of every reader and writer: damaged inputs must end in results or in boxmask's own errors."""
