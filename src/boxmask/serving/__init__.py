"""The REST API of `boxmask serve`: models that other programs ask over HTTP."""
