"""The report as one offline page: HTML with its style, its script, its pictures and its plots."""
