"""Find photos and read them, in any usual form, as upright RGB."""
