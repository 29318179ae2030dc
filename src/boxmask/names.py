"""The identity of names: the one place that decides when two names mean the same file or the same class.

Two class names mean the same class if they agree in Unicode's composed form (NFC), without outer spaces.

A name means a file if it agrees with the file's name, and with the folders that both give. Both are compared
in NFC and with "/" between folders. This is an exact match. Without one, the name is decoded (from its
percent-encoding, without its query string), then compared without case, then without a known suffix. Such a
match is inexact. If several files match equally well, the name is ambiguous.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit

from boxmask.errors import LabelError
from boxmask.file_kinds import KNOWN_SUFFIXES

_INVISIBLE = "\ufeff\u200b\u200e\u200f \t\r\n\f\v\xa0"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ABSOLUTE = re.compile(r"(/|[A-Za-z]:/|~)")
"""The beginning of an absolute path, mostly one on another computer."""

PHOTO_WORDS = {"images", "image", "imgs", "img", "photos", "photo", "pictures", "jpegimages"}
_LABEL_WORDS = {"annotations", "annotation", "annots", "annot", "labels", "label", "xmls", "xml", "json"}
_LAYOUT_WORDS = PHOTO_WORDS | _LABEL_WORDS | {"data", "dataset", "voc", ".", ""}
"""Words in folder names that tell what kind of files a folder holds, not which ones."""


# ---------------------------------------------------------------- classes


def class_name(text: str) -> str:
    """The name of a class as boxmask keeps it: in Unicode's composed form (NFC), without outer spaces."""
    return unicodedata.normalize("NFC", text).strip(_INVISIBLE)


# ---------------------------------------------------------------- files


def normal_path(name: str) -> str:
    """A path in NFC, with "/" between folders and without empty or "." parts."""
    path = unicodedata.normalize("NFC", name).strip(_INVISIBLE).replace("\\", "/")
    return posixpath.normpath(path) if path else ""


def decoded_path(name: str) -> str:
    """The path in a URL or percent-encoded name: without host, query string and encoding.

    A query such as Label Studio's "?d=images/a.jpg" is the path itself.
    """
    path, _, query = name.partition("?")
    if _SCHEME.match(name):
        parts = urlsplit(name)
        path, query = parts.path, parts.query
    if path.endswith("/") and (inner := parse_qs(query).get("d")):
        path = inner[0]
    return normal_path(unquote(path))


def without_suffix(path: str) -> str:
    """A path without the suffix of a photo or label file. Any other dot belongs to the name."""
    suffix = posixpath.splitext(path)[1]
    return path.removesuffix(suffix) if suffix.lower() in KNOWN_SUFFIXES else path


ENCODING, CASE, ENDING, FOLDERS = "percent-encoding or query string", "case", "ending", "folders"
"""In what a name may differ from a file that it means."""


@dataclass(frozen=True, slots=True)
class Match:
    """A file that a name means.

    differences: in what the spellings differ, for example ("ending", "folders"); none for an exact match
    """

    file: str
    differences: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether the name is spelled as the file."""
        return not self.differences

    def allowing(self, difference: str) -> Match:
        """The same match where names may differ in this."""
        return replace(self, differences=tuple(d for d in self.differences if d != difference))

    def describe(self, name: str) -> str:
        """How a name that is not spelled as the file differs from it, for notes."""
        return f"{name} is {self.file} (differs in {', '.join(self.differences)})"


class AmbiguousNameError(LabelError):
    """A name may mean several files."""

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        rest = len(candidates) - _MAX_CANDIDATES
        shown = [*candidates[:_MAX_CANDIDATES], *([f"{rest:,} more"] if rest > 0 else [])]
        super().__init__(f"{name} may be {', '.join(shown[:-1])} or {shown[-1]}")


_MAX_CANDIDATES = 5
_SAME_FOLDERS = 2
"""The worst rank of a file in the same folders as its name."""

_Form = Callable[[str], str]
_FORMS: tuple[tuple[tuple[str, ...], _Form], ...] = (
    ((), str),
    ((CASE,), str.casefold),
    ((ENDING,), without_suffix),
    ((ENDING, CASE), lambda path: without_suffix(path).casefold()),
)
"""What a comparison ignores, and the form in which it compares paths; the strictest first."""


class NameIndex:
    """Finds files by names that may be written in another way.

    files: paths with "/", relative to a common folder
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = tuple(files)
        self._exact = frozenset(self._files)
        folders = {posixpath.dirname(file) for file in self._files}
        self._folders = {
            part for folder in folders for part in normal_path(posixpath.join(folder, "x")).split("/")[:-1]
        }
        self._by_form: dict[tuple[str, ...], dict[str, list[str]]] = {}

    def find(self, name: str, folder: str = "") -> Match | None:
        """The one file that a name means; None if there is none. Raises AmbiguousNameError for several.

        folder: a relative path is tried from here first
        """
        matches = self.matches(name, folder)
        if len(matches) > 1:
            raise AmbiguousNameError(name, [match.file for match in matches])
        return matches[0] if matches else None

    def matches(self, name: str, folder: str = "") -> list[Match]:
        """The files that a name may mean, all equally well."""
        for path in (posixpath.normpath(posixpath.join(folder, name)), name):
            if path in self._exact:
                return [Match(path)]
        encodings: dict[str, tuple[str, ...]] = {decoded_path(name): (ENCODING,), normal_path(name): ()}
        for ignored, form in _FORMS:
            candidates = []
            for path, encoding in encodings.items():
                files, folders_differ = self._compare(path, normal_path(folder), ignored, form)
                if files:
                    candidates.append((folders_differ, encoding, files))
            if candidates:
                folders_differ, encoding, files = min(candidates)  # the same folders first
                files = _written_alike(name, files)
                differences = (*encoding, *ignored, *((FOLDERS,) if folders_differ else ()))
                return [Match(file, differences) for file in files]
        return []

    def _compare(
        self, path: str, folder: str, ignored: tuple[str, ...], form: _Form
    ) -> tuple[list[str], bool]:
        """The files that a path agrees with best in one form, and whether their folders differ from its."""
        wanted = form(path)
        from_folder = form(posixpath.normpath(posixpath.join(folder, path)))
        ranks: dict[int, list[str]] = defaultdict(list)
        for file in self._candidates(ignored, form).get(posixpath.basename(wanted), []):
            found = form(normal_path(file))
            rank = self._rank(wanted, found) if found != from_folder else 0
            if rank is not None:
                ranks[rank].append(file)
        best = min(ranks, default=0)
        return ranks[best], best > _SAME_FOLDERS

    def _candidates(self, ignored: tuple[str, ...], form: _Form) -> dict[str, list[str]]:
        """The files by their name in one form."""
        if ignored not in self._by_form:
            files: dict[str, list[str]] = defaultdict(list)
            for file in self._files:
                files[posixpath.basename(form(normal_path(file)))].append(file)
            self._by_form[ignored] = files
        return self._by_form[ignored]

    def _rank(self, wanted: str, found: str) -> int | None:
        """How well the folders of a name fit those of a file, 0 best; None if they contradict each other."""
        if wanted == found:
            return 1
        if found.endswith(f"/{wanted}"):
            return _SAME_FOLDERS
        if f"/{wanted}".endswith(f"/{found}"):  # the name gives more folders
            return 3
        if folders_agree(telling_folders(wanted), telling_folders(found)):
            return 4
        nearest_folder = posixpath.basename(posixpath.dirname(wanted))
        return 5 if _ABSOLUTE.match(wanted) and nearest_folder not in self._folders else None


def _written_alike(name: str, files: list[str]) -> list[str]:
    """The one file that is written as the name, if others differ in Unicode form only; else all files."""
    wanted = posixpath.basename(name)
    names = {file: posixpath.basename(file) for file in files}
    alike = [file for file in files if wanted in (names[file], without_suffix(names[file]))]
    return alike if len(alike) == 1 else files


def telling_folders(path: str) -> list[str]:
    """The folders of a path that tell files apart: [cam1] for images/cam1/x.jpg, [train] for train_labels/x.

    Words such as "images" and "labels" are left out.
    """
    return list(_telling_parts(posixpath.dirname(normal_path(path))))


@lru_cache(maxsize=4096)
def _telling_parts(folder: str) -> tuple[str, ...]:
    parts = []
    for part in folder.split("/"):
        words = [word for word in re.split(r"[\s_-]+", part) if word.lower() not in _LAYOUT_WORDS]
        parts.append("_".join(words))
    return tuple(part for part in parts if part)


def folders_agree(folders: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the shorter of two lists of telling folders is the end of the longer one."""
    inner, outer = sorted((list(folders), list(others)), key=len)
    return inner == outer[len(outer) - len(inner) :]
