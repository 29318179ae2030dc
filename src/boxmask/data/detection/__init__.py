"""Detection data sets: photos with labeled boxes and masks."""
