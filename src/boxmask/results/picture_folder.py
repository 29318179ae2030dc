"""The folder that a job draws its pictures into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.errors import DiskFullError, OutputError
from boxmask.results.file_names import picture_names
from boxmask.results.output_folder import check_not_overwriting, prepare_folder
from boxmask.results.pictures import save_picture
from boxmask.visualization.style import RGBImage


class PictureFolder:
    """Writes the pictures of a job. The first `save` removes those of an earlier job from the folder.

    planned: the files to write
    photos:  the photos that the job reads
    files:   the pictures that were written
    notes:   remarks, for example on pictures of an earlier job
    errors:  one message per picture that could not be written

    Raises UsageError if a picture would replace a photo or a file that boxmask did not write.
    """

    def __init__(self, folder: Path, planned: Sequence[Path], photos: Sequence[Path] = ()) -> None:
        check_not_overwriting(planned, photos)
        self.folder, self.planned, self.photos = folder, list(planned), list(photos)
        self.files: list[Path] = []
        self.notes: tuple[str, ...] = ()
        self.errors: list[str] = []
        self._begun = False

    @staticmethod
    def for_photos(folder: Path, photos: Sequence[Path]) -> PictureFolder:
        """A folder with one JPEG file per photo."""
        planned = [folder / f"{name}.jpg" for name in picture_names(photos, folder)]
        return PictureFolder(folder, planned, photos)

    def begin(self) -> None:
        """Create the folder and remove the pictures of an earlier job."""
        if not self._begun:
            self._begun = True
            self.notes += prepare_folder(self.folder, self.planned, self.photos)

    def save(self, index: int, picture: RGBImage) -> None:
        """Write the planned file with this index. Raises DiskFullError; other errors are collected."""
        self.begin()
        try:
            save_picture(picture, self.planned[index])
        except DiskFullError:
            raise
        except OutputError as error:
            self.errors.append(str(error))
        else:
            self.files.append(self.planned[index])
