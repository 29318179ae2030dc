"""The one place that downloads: files of weights, into a cache that is shared with torch hub."""
