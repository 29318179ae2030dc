"""The page for people: its files, what it may offer, and signing in."""
