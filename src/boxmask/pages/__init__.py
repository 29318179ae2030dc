"""What HTML pages share: templates without network access, small pictures, paths for SVG, and the style."""
