"""The report of a comparison: one HTML file with tables, charts and photos, which loads nothing."""
