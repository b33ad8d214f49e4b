"""Texts that were read in another encoding than they are in, and saved so: 涓浗, ä¸­å›½ and ÖÐ¹ú for 中国."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

from rules.model import Title

_FOLLOWING = range(0x80, 0xC0)
_CHINESE = range(0xE4, 0xEA)
"""The first byte of a Chinese character in UTF-8; two of :data:`_FOLLOWING` come behind it."""

_FIRST, _SECOND = range(0xB0, 0xD8), range(0xA1, 0xFF)
"""The bytes of the characters of GB/T 2312-1980 that are common."""


@dataclass(frozen=True, slots=True)
class _Misreading:
    """How a text was read, and how it should have been.

    :param signs: two common characters, as they were read: no word of any language is so.
    """

    encoding: str
    signs: re.Pattern[str]
    bytes: Callable[[str], bytes]


def meant(text: str) -> str | None:
    """What a text seems to say that was read in another encoding than it is in; None where nothing does.

    What is lost stands as �. Of a list of 349,046 Chinese words, and of a million names put together from
    it, none is taken for one.

    >>> [meant(text) for text in ("ä¸\xadå›½", "ÖÐ¹ú", "涓浗", "中国", "Société Générale", "某××××店")]
    ['中国', '中国', '中国', None, None, None]
    """
    if text.isascii():
        return None
    ways = (way for way in _misreadings() if way.signs.search(text))
    said = (way.bytes(text).decode(way.encoding, "replace") for way in ways)
    return next(filter(_is_chinese, said), None)


def doubt(text: str) -> Title:
    """What a text seems to say, to stand behind it; nothing where it is as it should be."""
    said = meant(text)
    return Title("", "") if said is None else Title(f"(乱码,像是“{said}”)", f" (misread; perhaps {said})")


def _is_chinese(text: str) -> bool:
    """Whether two in three of a text's characters, but for those of ASCII, are common in Chinese."""
    others, common = _COMMON.subn("", _ASCII.sub("", text))
    return 2 * len(others) <= common


@cache
def _misreadings() -> tuple[_Misreading, ...]:
    odd, even = f"{_gbk(_CHINESE, _FOLLOWING)}{_gbk(_FOLLOWING, _CHINESE)}", _gbk(_FOLLOWING, _FOLLOWING)
    utf8 = f"(?:{_latin(_CHINESE)}{_latin(_FOLLOWING)}{{2}}){{2}}"
    drawn = _class(sign for sign in map(chr, _SECOND) if not sign.isalpha())  # as in ×××× and ····
    gb2312 = f"(?!{drawn}{{4}})(?:{_latin(_FIRST)}{_latin(_SECOND)}){{2}}"
    return (
        _Misreading("utf-8", re.compile(odd + even), _as_gb18030),
        _Misreading("utf-8", re.compile(utf8), _as_latin),
        _Misreading("gb18030", re.compile(gb2312), _as_latin),
    )


def _gbk(first: Iterable[int], second: Iterable[int]) -> str:
    """A class of the characters of two bytes in GBK."""
    return _class(bytes(pair).decode("gb18030", "ignore") for pair in product(first, second))


def _latin(some: Iterable[int]) -> str:
    """A class of the characters of one byte, in Latin-1 as well as on Windows."""
    return _class(sign for byte in some for sign in (chr(byte), bytes((byte,)).decode("cp1252", "ignore")))


def _class(signs: Iterable[str]) -> str:
    return f"[{re.escape(''.join(sorted(sign for sign in signs if len(sign) == 1)))}]"


def _as_gb18030(text: str) -> bytes:
    return text.replace("\ufffd", "?").encode("gb18030", "replace")


def _as_latin(text: str) -> bytes:
    return b"".join(bytes((ord(c),)) if ord(c) < 0x100 else c.encode("cp1252", "replace") for c in text)


MAYBE_MISREAD = _gbk(_CHINESE, _FOLLOWING)
"""A class of the signs of which one stands in every text that was read as GBK."""

_ASCII = re.compile("[\0-\x7f]+")
_COMMON = re.compile(
    _class(bytes(pair).decode("gb2312", "ignore") for pair in product(_FIRST, _SECOND))[:-1]
    + "\u3000-\u303f\uff00-\uffef]"
)
