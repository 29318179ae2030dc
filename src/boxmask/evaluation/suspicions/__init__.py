"""Labels that a model doubts: those that are missing, wrong or badly placed."""
