"""Convert a data set of label maps, which do not tell the objects of a class apart."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.conversion.options import ConversionOptions
from boxmask.data.conversion.output_folder import check_output_folder, new_folder
from boxmask.data.conversion.photo_names import names_of_photos
from boxmask.data.conversion.placing import ROTATED
from boxmask.data.conversion.report import Conversion, write_report
from boxmask.data.formats.contract import Losses, Writer
from boxmask.data.formats.mask_images import LABEL_MAP_WRITER
from boxmask.data.formats.mask_images.label_maps import write_classes, write_label_map
from boxmask.data.photo_files import place_photo
from boxmask.data.segmentation.label_map_folder import read_unsplit_label_maps
from boxmask.data.segmentation.selected_classes import select_label_map_classes
from boxmask.errors import UsageError
from boxmask.photos.size import is_rotated


def convert_label_maps(data: Path, writer: Writer, out: Path, options: ConversionOptions) -> Conversion:
    """Write label maps again: as PNGs of class numbers, with photos in images/ and maps in masks/.

    Raises UsageError for another format: objects of one class that touch would become one.
    """
    if writer.NAME != LABEL_MAP_WRITER.NAME:
        raise UsageError(
            f"{data}: label maps hold the class of each pixel and do not tell the objects of a class apart, "
            f"so they cannot become {writer.NAME}. Only {LABEL_MAP_WRITER.NAME} can be written from them."
        )
    dataset = read_unsplit_label_maps(
        data, options.classes_file, options.on_unknown_colors, options.on_bad_photos, options.select
    )
    dataset = select_label_map_classes(dataset, options.selection)
    check_output_folder(out, dataset.root)
    files, splits = dataset.files.tolist(), dataset.splits.tolist()
    losses = Losses()
    with new_folder(out) as folder:
        write_classes(dataset.class_names, folder)
        for index, (name, split) in enumerate(zip(names_of_photos(files, splits), splits, strict=True)):
            place_photo(dataset.path(index), folder, writer.photo_file(name, split), options.photos)
            if is_rotated(dataset.path(index)):
                losses.add(ROTATED, name)
            write_label_map(dataset.target(index).labels.numpy(), name, split, folder)
            options.report(index + 1, len(dataset))
        conversion = Conversion(out, writer.NAME, len(dataset), 0, losses.listed(), dataset.notes)
        write_report(conversion, data, options.remarks(), folder)
    return conversion
