"""Photos on their way in: finding, decoding and accepting them in any usual form."""
