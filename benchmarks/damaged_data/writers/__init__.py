"""The label formats of the corpus. These writers share no code with boxmask's."""

from __future__ import annotations

from damaged_data.sample import Writer
from damaged_data.writers.class_folders import ClassFolders
from damaged_data.writers.coco import Coco
from damaged_data.writers.createml import CreateMl
from damaged_data.writers.csv_table import CsvTable
from damaged_data.writers.cvat import Cvat
from damaged_data.writers.label_maps import LabelMaps
from damaged_data.writers.label_studio import LabelStudio
from damaged_data.writers.labelme import LabelMe
from damaged_data.writers.via import Via
from damaged_data.writers.voc import Voc
from damaged_data.writers.yolo import Yolo

WRITERS: dict[str, Writer] = {
    writer.NAME: writer
    for writer in (
        Coco(),
        Voc(),
        Yolo(),
        LabelMe(),
        Via(),
        Cvat(),
        LabelStudio(),
        CsvTable(),
        CreateMl(),
        LabelMaps(),
        ClassFolders(),
    )
}
