"""The encoding that a file declares, and the code page of a text that declares none.

Declared names mean the code pages that Windows programs write under them: "GB2312" is read as GB18030,
"EUC-KR" as CP949, as the WHATWG Encoding Standard (section 4.2) prescribes.

"ANSI", as some label tools declare, is the code page of the computer that wrote the file. It is found by
trial: a code page is plausible if all bytes are characters in it, and all characters are common in its
script. The common detectors of encodings need longer texts than the names of classes.
"""

from __future__ import annotations

import codecs
import locale
import re
from collections.abc import Callable

_SUPERSETS = {
    "ascii": "utf-8",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso8859-1": "cp1252",
}
"""The code page that programs write under each name, by Python's name of the codec."""

_NOT_ENCODINGS = (
    "idna",
    "mbcs",
    "oem",
    "punycode",
    "raw-unicode",
    "undefined",
    "unicode",
    "utf-7",
    "utf-16",  # without NUL bytes, text is not in UTF-16 or UTF-32
    "utf-32",
)
"""Codecs of Python that no label file uses, and that may be slow."""

_XML_DECLARATION = re.compile(r"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"'<>]*)["']""")
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_WESTERN = re.compile("[A-Za-zÀ-ÖØ-öø-ÿŒœŠšŽžŸ]+")
_PUNCTUATION = frozenset("\u3000、。〈〉《》「」『』【】（），：；？！～・ー々")
_CODE_PAGE_OF_LANGUAGE = {"ko": "cp949", "ja": "cp932", "zh_tw": "cp950", "zh_hk": "cp950", "zh": "gb18030"}

_FREQUENT_SYLLABLES = frozenset(
    "이다는에의가을하고지로기한사를은도어자리아시인나대스그정라서일해수상보주구전부들면여제장게만원과국선동러니조거"
    "모비오마트세우공신화성드요계경중있미안소것유며무진내치용개력물단출관회실체적식방위생발연결법문분운양학설금없음"
    "품명재교민같차업반노말히행했습통등불량볼호길강산남북바배파타카버크터컴퓨람새집책건너누두더데돌르름머메백번벨"
    "별병복불빛빨색석속손송순술시심씨역영예외월육은입저절점종즉직질집창처천철초추축충칠케코키탁태테토투티판패포표"
    "피필함항향허현형호홍환황후흐희흰검나무꽃눈달닭땅딸똥뚜뚝띠"
)
"""The syllables of most Korean words. Chinese that is misread as Korean has few of them."""


def declared_encoding(data: bytes) -> str:
    """The encoding in the XML declaration, "" if there is none."""
    found = _XML_DECLARATION.match(data[:1024].decode("latin-1"))
    return found[1].strip() if found else ""


def codec_of(name: str) -> str | None:
    """Python's codec for the texts that programs declare with a name; None if it is unknown."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._:-]{0,39}", name):
        return None
    try:
        codec = codecs.lookup(name.replace(":", "_"))
    except LookupError:
        return None
    turns_bytes_into_text = getattr(codec, "_is_text_encoding", True)
    if not turns_bytes_into_text or codec.name.startswith(_NOT_ENCODINGS):
        return None
    return _SUPERSETS.get(codec.name, codec.name)


def guess_code_pages(data: bytes) -> list[str]:
    """The plausible code pages of a text, or only that of the computer's language if it is among them."""
    plausible = []
    for code_page in _IS_COMMON_TEXT:
        try:
            text = data.decode(code_page)
        except UnicodeDecodeError:
            continue
        if is_plausible(text, code_page):
            plausible.append(code_page)
    local = _local_code_page()
    return [local] if local in plausible else _korean_or_chinese(data, plausible)


def _korean_or_chinese(data: bytes, plausible: list[str]) -> list[str]:
    """Decide by the share of frequent syllables: every Korean text is one of common characters in Chinese."""
    if "cp949" not in plausible:
        return plausible
    syllables = [character for run in _NON_ASCII.findall(data.decode("cp949")) for character in run]
    frequent = sum(character in _FREQUENT_SYLLABLES for character in syllables)
    if 2 * frequent >= len(syllables):
        return ["cp949"]
    is_chinese = frequent == 0 and len(syllables) > 1
    return [code_page for code_page in plausible if not (is_chinese and code_page == "cp949")]


def is_plausible(text: str, code_page: str) -> bool:
    """Whether all characters beyond ASCII are common ones of the code page."""
    is_common_text = _IS_COMMON_TEXT.get(code_page)
    return is_common_text is None or is_common_text(text)


def _local_code_page() -> str | None:
    """The code page of the language in the computer's settings."""
    language = (locale.getlocale()[0] or "").lower()
    names = (name for prefix, name in _CODE_PAGE_OF_LANGUAGE.items() if language.startswith(prefix))
    return next(names, None)


def _east_asian(codec: str, first: int, last: int, letters: str = "") -> Callable[[str], bool]:
    """A test for texts of the characters from `first` to `last`, as two bytes of a codec."""
    kept = _PUNCTUATION | frozenset(letters)

    def is_common(character: str) -> bool:
        if character in kept:
            return True
        code = character.encode(codec, errors="ignore")
        return len(code) == 2 and first <= int.from_bytes(code, "big") <= last

    def is_common_text(text: str) -> bool:
        runs = re.findall(r"[a-z]*[^\x00-\x7f]+[a-z]*", text)
        return all(is_common(character) for run in runs for character in run)

    return is_common_text


def _is_western(text: str) -> bool:
    """Accented letters, at most two in a row, beside other letters."""
    found = re.findall(r"[A-Za-z]*[^\x00-\x7f][^\x00-\x40]*", text)
    words = ((word, _NON_ASCII.findall(word)) for word in found)
    return all(
        _WESTERN.fullmatch(word) and len(word) > max(map(len, parts)) and max(map(len, parts)) <= 2
        for word, parts in words
    )


def _is_cyrillic(text: str) -> bool:
    """Words of Cyrillic letters alone."""
    words = re.findall(r"[A-Za-z]*[^\x00-\x7f]+[A-Za-z]*", text)
    return all(re.fullmatch("[А-яЁё]{2,}", word) for word in words)


_KANA = "".join(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))))
_IS_COMMON_TEXT: dict[str, Callable[[str], bool]] = {
    "cp949": _east_asian("euc_kr", 0xB0A1, 0xC8FE),  # the 2,350 syllables of KS X 1001
    "gb18030": _east_asian("gb2312", 0xB0A1, 0xD7F9),  # level 1 of GB 2312
    "cp932": _east_asian("shift_jis", 0x889F, 0x9872, _KANA),  # level 1 of JIS X 0208
    "cp950": _east_asian("big5", 0xA440, 0xC67E),  # level 1 of Big5
    "cp1252": _is_western,
    "cp1251": _is_cyrillic,
}
