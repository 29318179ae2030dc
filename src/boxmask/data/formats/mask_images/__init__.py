"""Images whose pixels tell objects (instance maps) or classes (label maps), beside the photos."""

from boxmask.data.formats.mask_images.instance_maps import InstanceMapWriter
from boxmask.data.formats.mask_images.label_maps import LabelMapWriter

INSTANCE_MAP_WRITER = InstanceMapWriter()
LABEL_MAP_WRITER = LabelMapWriter()

__all__ = ["INSTANCE_MAP_WRITER", "LABEL_MAP_WRITER"]
