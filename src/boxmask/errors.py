"""What boxmask says when it cannot go on: what was found, where, and what to do about it."""


class BoxmaskError(Exception):
    """Base of every error that is meant for the user; the command line prints its text and exits with 1."""


class UsageError(BoxmaskError):
    """A value that the caller gave cannot be used; the command line exits with 2."""


class PhotoError(BoxmaskError):
    """A photo is missing, truncated or not an image."""


class LabelError(BoxmaskError):
    """Labels cannot be read, or say something impossible; names the file and, where known, the line."""


class CheckpointError(BoxmaskError):
    """A file of weights is corrupt, incomplete or of another kind."""


class WeightsError(BoxmaskError):
    """Pretrained numbers cannot be had from where they were asked for."""


class TrainingError(BoxmaskError):
    """Training cannot go on, for example because the loss is no longer finite."""
