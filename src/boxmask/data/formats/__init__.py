"""Ways to write labels down: each file reads one of them."""
