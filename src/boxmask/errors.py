"""The errors that boxmask raises for the user: each says what is wrong, where, and what to do."""


class BoxmaskError(Exception):
    """Base class of all errors meant for the user. The command line prints the message and exits with 1."""


class UsageError(BoxmaskError):
    """An argument is invalid. The command line exits with 2."""


class PhotoError(BoxmaskError):
    """A photo is missing, damaged or not an image."""


class LabelError(BoxmaskError):
    """Labels are unreadable or invalid. The message names the file and, if known, the line."""


class CheckpointError(BoxmaskError):
    """A checkpoint is damaged, incomplete or of another kind."""


class WeightsError(BoxmaskError):
    """Pretrained weights are not available from the requested source."""


class TrainingError(BoxmaskError):
    """Training cannot continue, for example because the loss is no longer finite."""


class OutputError(BoxmaskError, OSError):
    """A file cannot be written, for example because the disk is full or its folder is read-only."""


class DiskFullError(OutputError):
    """The disk is full, so that no further file can be written either."""
