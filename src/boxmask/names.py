"""The identity of names: the one place that decides when two names mean the same file or the same class.

Two class names mean the same class if they agree in Unicode's composed form (NFC), without outer spaces.

A name means a file if it agrees with the file's name, and with the folders that both give. Both are compared
in NFC and with "/" between folders. This is an exact match. Without one, the name is decoded (from its
percent-encoding, without its query string), then compared without case, then without a known ending. Such a
match is inexact. If several files match equally well, the name is ambiguous.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from boxmask.errors import LabelError
from boxmask.file_kinds import KNOWN_ENDINGS

_INVISIBLE = "\ufeff\u200b\u200e\u200f \t\r\n\f\v\xa0"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FOREIGN = re.compile(r"(/|[A-Za-z]:/|~)")
"""How a path on another computer begins."""

_LAYOUT_WORDS = {
    *("images", "image", "imgs", "img", "photos", "photo", "pictures", "jpegimages", "data", "dataset", "."),
    *("annotations", "annotation", "annots", "annot", "labels", "label", "xmls", "xml", "json", "voc", ""),
}
"""Words in folder names that tell what kind of files a folder holds, not which ones."""


# ---------------------------------------------------------------- classes


def class_name(text: str) -> str:
    """The name of a class as boxmask keeps it: in Unicode's composed form (NFC), without outer spaces."""
    return unicodedata.normalize("NFC", text).strip(_INVISIBLE)


def notes_on_class_names(spellings: Iterable[str]) -> tuple[str, ...]:
    """Notes on spellings that count as one class, and on classes that hardly differ.

    spellings: class names as written, in any number
    """
    written: dict[str, set[str]] = defaultdict(set)
    for spelling in spellings:
        written[class_name(spelling)].add(spelling)
    merged = [f'"{name}" ({len(forms)} spellings)' for name, forms in written.items() if len(forms) > 1]
    alike: dict[str, list[str]] = defaultdict(list)
    for name in written:
        alike[re.sub(r"[\s_-]+", "", name.casefold())].append(f'"{name}"')
    similar = [" and ".join(sorted(names)) for names in alike.values() if len(names) > 1]
    return (
        *_note("spellings that differ only in Unicode form or outer spaces count as one class", merged),
        *_note("classes that differ only in case, spaces, - or _ stay separate classes", similar),
    )


def _note(heading: str, details: Sequence[str]) -> tuple[str, ...]:
    return ("\n  ".join([f"{heading}:", *details]),) if details else ()


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


def without_ending(path: str) -> str:
    """A path without the ending of a photo or label file. Any other dot belongs to the name."""
    ending = posixpath.splitext(path)[1]
    return path.removesuffix(ending) if ending.lower() in KNOWN_ENDINGS else path


@dataclass(frozen=True, slots=True)
class Match:
    """A file that a name means.

    difference: in what the two are not spelled alike; "" for an exact match
    """

    file: str
    difference: str = ""


class AmbiguousNameError(LabelError):
    """A name may mean several files."""

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        rest = len(candidates) - _MAX_CANDIDATES
        shown = [*candidates[:_MAX_CANDIDATES], *([f"{rest:,} more"] if rest > 0 else [])]
        super().__init__(f"{name} may be {', '.join(shown[:-1])} or {shown[-1]}")


_MAX_CANDIDATES = 5
_Form = Callable[[str], str]
_FORMS: tuple[tuple[str, _Form], ...] = (
    ("", str),
    ("case", str.casefold),
    ("ending", without_ending),
    ("ending, case", lambda path: without_ending(path).casefold()),
)
"""What a comparison ignores, and the form in which it compares paths; the strictest first."""


class NameIndex:
    """Finds files by names that may be written in another way.

    files: paths with "/", relative to a common folder
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = tuple(files)
        self._exact = frozenset(self._files)
        self._folders = {part for file in self._files for part in normal_path(file).split("/")[:-1]}
        self._by_form: dict[str, dict[str, list[str]]] = {}

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
        encodings = {decoded_path(name): "percent-encoding or query string", normal_path(name): ""}
        for ignored, form in _FORMS:
            found = [
                (folders_differ, encoding, files)
                for path, encoding in encodings.items()
                for files, folders_differ in [self._compare(path, normal_path(folder), ignored, form)]
                if files
            ]
            if found:
                folders_differ, encoding, files = min(found)
                differences = [encoding, ignored, "folders" if folders_differ else ""]
                return [Match(file, ", ".join(filter(None, differences))) for file in files]
        return []

    def did_you_mean(self, name: str) -> str:
        """ " (did you mean a.jpg?)" with the files of the most similar names; "" if none is similar."""
        wanted = _comparable(decoded_path(name))
        files_of: dict[str, list[str]] = defaultdict(list)
        for file in self._files:
            files_of[_comparable(normal_path(file))].append(file)
        close = difflib.get_close_matches(wanted, files_of, n=2, cutoff=0.75)
        similar = [file for key in close for file in files_of[key]][:2]
        return f" (did you mean {' or '.join(similar)}?)" if similar else ""

    def _compare(self, path: str, folder: str, ignored: str, form: _Form) -> tuple[list[str], bool]:
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

    def _candidates(self, ignored: str, form: _Form) -> dict[str, list[str]]:
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
        if f"/{wanted}".endswith(f"/{found}"):
            return 3
        if folders_agree(telling_folders(wanted), telling_folders(found)):
            return 4
        nearest_folder = posixpath.basename(posixpath.dirname(wanted))
        return 5 if _FOREIGN.match(wanted) and nearest_folder not in self._folders else None


_SAME_FOLDERS = 2


def _comparable(path: str) -> str:
    """The name alone, without case and known ending."""
    return without_ending(posixpath.basename(path)).casefold()


def telling_folders(path: str) -> list[str]:
    """The folders of a path that tell files apart: [cam1] for images/cam1/x.jpg, [train] for train_labels/x.

    Words such as "images" and "labels" are left out.
    """
    folders = []
    for folder in normal_path(path).split("/")[:-1]:
        words = [word for word in re.split(r"[\s_-]+", folder) if word.lower() not in _LAYOUT_WORDS]
        folders.append("_".join(words))
    return [folder for folder in folders if folder]


def folders_agree(folders: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the shorter of two lists of telling folders is the end of the longer one."""
    inner, outer = sorted((list(folders), list(others)), key=len)
    return inner == outer[len(outer) - len(inner) :]
