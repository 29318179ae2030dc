"""Random changes to training photos and their labels."""

from boxmask.torchvision_import import without_compiler

with without_compiler():
    import torchvision.transforms.v2  # noqa: F401 (the files of this package find it loaded)
