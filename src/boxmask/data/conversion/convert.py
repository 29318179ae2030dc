"""Convert a data set: read and check its labels, write them in another format, and place the photos."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.archives import unpacked
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.conversion.options import ConversionOptions, find_writer
from boxmask.data.conversion.output_folder import check_output_folder, new_folder
from boxmask.data.conversion.photos_to_write import PhotosToWrite
from boxmask.data.conversion.placing import PlacedPhotos
from boxmask.data.conversion.report import Conversion, write_report
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read_checked_labels import read_checked_labels
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.formats.contract import Losses, Writer
from boxmask.data.formats.losses import note_unkept_elements
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_files import PhotoMode
from boxmask.data.segmentation.label_maps import OnUnknownColors
from boxmask.data.segmentation.pairs import has_label_maps
from boxmask.progress import Progress


def convert(
    data: Path,
    to: str,
    out: Path,
    *,
    photos: PhotoMode = "copy",
    split_file: Path | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    classes_file: Path | None = None,
    on_unknown_colors: OnUnknownColors = "error",
    selection: ClassSelection = ALL_CLASSES,
    progress: Progress | None = None,
) -> Conversion:
    """Write the labels of a data set in another format into the folder `out`, with `conversion.txt`.

    `boxmask convert --help` describes the options. Nothing is left if it fails. Label maps and class folders
    need torch, which is loaded for them only.
    Raises LabelError and PhotoError as the readers of labels do, UsageError, and OutputError.
    """
    options = ConversionOptions(
        photos,
        split_file,
        on_bad_boxes,
        on_bad_photos,
        classes_file,
        on_unknown_colors,
        selection,
        progress,
    )
    writer = find_writer(to)
    check_output_folder(out, unpacked(data))  # an archive may lie beside the new folder
    has_objects = has_detection_labels(data)
    if not has_objects and has_label_maps(data):
        from boxmask.data.conversion.label_map_photos import convert_label_maps

        return convert_label_maps(data, writer, out, options)
    if not has_objects:
        from boxmask.data.conversion.sorted_photos import class_folder_labels

        return _write(class_folder_labels(data, writer.NAME, options), writer, data, out, options)
    checked = read_checked_labels(
        data, on_bad_boxes, on_bad_photos, select=options.select, selection=selection
    )
    return _write(PhotosToWrite.of(checked), writer, data, out, options)


def _write(
    photos: PhotosToWrite, writer: Writer, data: Path, out: Path, options: ConversionOptions
) -> Conversion:
    check_output_folder(out, photos.checked.labels.root)  # label files may lie beside their photos
    losses = Losses()
    note_unkept_elements(photos.checked.labels, losses)
    placed = PlacedPhotos(photos, writer, options, losses)
    with new_folder(out) as folder:
        writer.write(placed.in_folder(folder), photos.class_names, folder, losses)
        counts = (len(photos), placed.num_objects)
        conversion = Conversion(out, writer.NAME, *counts, losses.listed(), photos.notes())
        write_report(conversion, data, options.remarks(), folder)
    return conversion
