"""What a training leaves behind: its recipe, its folder and its splits."""
