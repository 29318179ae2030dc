"""What failed in the detections: kinds of errors, confused classes, missed sizes, and suspected labels."""
