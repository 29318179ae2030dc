"""Data sets in archives, as they are downloaded: unpacked once into the user's cache, and read there."""

from boxmask.data.archives.unpack import has_archive_suffix, is_archive, is_other_archive, unpacked

__all__ = ["has_archive_suffix", "is_archive", "is_other_archive", "unpacked"]
