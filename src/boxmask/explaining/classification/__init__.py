"""The classifier, stage by stage."""
