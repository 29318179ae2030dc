"""Pre-labels for Label Studio, which asks this server as its ML backend."""
