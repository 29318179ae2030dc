"""Results that the page shows as files: the same that `boxmask predict --save` writes."""
