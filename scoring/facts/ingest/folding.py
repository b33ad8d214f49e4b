"""One spelling for what people write in several: widths, spaces, marks that nobody sees."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from scoring.characters.visible import FILLERS
from scoring.facts.ingest.decoration import undecorated, unescaped
from scoring.facts.ingest.errors import Fault


@dataclass(frozen=True, slots=True)
class Shown:
    """A number whose format shows more than its digits: 1 in the format 0000 is 0001.

    :param amount: with the unit in which it counts, where the format shows one: 5 in the format 0"万元" is
        50,000 yuan to who sees it, and 5 in 0"元" is 5 yuan, also below a header in 万元.
    """

    number: int | float
    text: str
    amount: str = ""


class Yearless(dt.datetime):
    """A day whose format shows no year, as spreadsheets make it of a number that is typed as 3-12."""


class Dayless(dt.datetime):
    """The first of a month, of which the format shows the month alone: it is typed as 2026-3."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that says nothing that could be kept.

    :param text: what stands in it.
    """

    fault: Fault
    text: str = ""


Cell = (
    str
    | bool
    | int
    | float
    | Decimal
    | dt.datetime
    | dt.date
    | dt.time
    | dt.timedelta
    | Shown
    | Unreadable
    | None
)

_INVISIBLE = dict.fromkeys(map(ord, f"\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff{FILLERS}"))
_SELECTORS = dict.fromkeys(chain(range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)))
"""Signs that choose how the one before them is drawn: a text may hold them, and they make no other name."""
_UNSEEN = _INVISIBLE | _SELECTORS

_WIDE = {
    code: code - 0xFEE0 for a, z in ("09", "AZ", "az") for code in range(ord(a) + 0xFEE0, ord(z) + 0xFEE1)
}
_SPACES = dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_TEXT: dict[int, int | str | None] = _INVISIBLE | _WIDE | _SPACES
_BRACKETS = str.maketrans("[({【⟦]})】⟧", "〔〔〔〔〔〕〕〕〕〕")
_TO_FOLD = re.compile(f"[{''.join(map(chr, _TEXT))}]")


def fold(text: str) -> str:
    """The text in NFKC (full-width forms become ASCII), without invisible marks and surrounding spaces.

    >>> fold(" ９２５００１５９ＭＡ ")
    '92500159MA'
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text.translate(_UNSEEN)).strip()


def fold_text(text: str) -> str:
    """A plain text, with only the width of letters, digits and spaces folded.

    Punctuation stays as it is written: a name registered as 重庆（集团）有限公司 is shown so.
    """
    if not text.isascii() and _TO_FOLD.search(text):
        text = text.translate(_TEXT)
    return unicodedata.normalize("NFC", text).strip()


def fold_name(text: str) -> str:
    r"""A text by which somebody is looked for: what can't be seen makes no other name, nor do spaces between
    Chinese characters (公 安 局), nor that a cell was too narrow for it on one line.

    >>> fold_name("云衡\ufe0f 面馆\u3164"), fold_name("云衡\n（一）_x000D_\n面馆")
    ('云衡面馆', '云衡（一）面馆')
    >>> fold_name("Yunheng \n Noodles")
    'Yunheng Noodles'
    """
    folded = fold_text(text if text.isascii() else text.translate(_SELECTORS))
    if "_x" in folded:
        folded = unescaped(folded)
    return " ".join(_BETWEEN.sub("", folded).split()) if _SPACE.search(folded) else folded


_SPACE = re.compile(r"\s")
_CHINESE = "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff65\U00020000-\U0003ffff]"
"""The characters between which no space belongs, with the signs and brackets that are as wide."""
_BETWEEN = re.compile(rf"(?<={_CHINESE})\s+(?={_CHINESE})")


def document(text: str) -> str:
    """The number of a document to compare by: which brackets stand around its year makes no other one.

    >>> document("某罚 [2026] 1号") == document("某罚（2026）1号") == "某罚〔2026〕1号"
    True
    """
    return "".join(fold(text).split()).translate(_BRACKETS)


def bracketed(text: str) -> str:
    """A record's number with the brackets around its year as the official forms' numbers have them.

    >>> bracketed("甲局（高新区） 某罚[2026]1号"), bracketed("XZ-(1)")
    ('甲局（高新区） 某罚〔2026〕1号', 'XZ-(1)')
    """
    return _YEAR.sub(r"〔\1〕", text)


_YEAR = re.compile(r"[\[(（{【〔⟦]((?:19|20)[0-9]{2})[\])）}】〕⟧]")


def fold_word(text: str) -> str:
    """A word to compare by: folded, lower case, without spaces and underscores."""
    return "".join(fold(text).casefold().replace("_", " ").split())


MARKS = "*:\u2731\u2217\u2605\u203b"


def fold_header(header: str) -> str:
    """A header to compare by: a word without the marks of what is required, and without quotes around it."""
    return fold_word(undecorated(fold(header).strip(MARKS)))


def as_text(cell: Cell) -> str:
    """A cell of a spreadsheet as text.

    A number is written with 15 significant digits, the most that a spreadsheet keeps and shows, and never
    with an exponent. A truth value is the word that a spreadsheet shows.
    """
    match cell:
        case str():
            return cell
        case None:
            return ""
        case Shown() | Unreadable():
            return cell.text
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return f"{Decimal(f'{cell:.15g}'):f}"
        case Dayless():
            return f"{cell:%Y-%m}"
        case dt.datetime():
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
        case _:
            return str(cell)
