"""Which encoding a text file is in, by decoding all of it strictly; and where it can't be decoded."""

from __future__ import annotations

import codecs
from pathlib import Path

from rules.model import Title
from scoring.ingest.errors import IngestError

_BLOCK = 1 << 20
_CANDIDATES = ("utf-8-sig", "gb18030")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def find_encoding(path: Path, given: str | None = None) -> str:
    """UTF-8 (with or without byte-order mark) where the whole file is; else GB18030.

    :param given: the encoding that a mapping names; it alone is tried.
    :raises IngestError: naming byte and row of what can't be decoded, in the encoding that came furthest.
    """
    with path.open("rb") as stream:
        marked = stream.read(2) in _UTF16_MARKS
    candidates = (given,) if given else ("utf-16",) if marked else _CANDIDATES
    reached = {}
    for encoding in candidates:
        offset = _first_undecodable(path, encoding)
        if offset is None:
            return encoding
        reached[encoding] = offset
    best = max(reached, key=lambda encoding: reached[encoding])
    raise _not_decodable(path, best, reached[best])


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """The offset of the first byte that is not of the encoding; None where every byte is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return read - waiting + error.start
            if not block:
                return None
            read += len(block)


def _not_decodable(path: Path, encoding: str, offset: int) -> IngestError:
    row, byte = _row_and_byte(path, offset)
    shown = encoding.removesuffix("-sig").upper()
    where = f"byte {offset} (0x{byte:02X}), row {row}"
    return IngestError(
        path.name,
        Title(f"第{row}行(第{offset}字节)不是{shown}编码", f"not {shown} at {where}"),
        Title("请另存为UTF-8或GB18030编码的CSV", "save it as CSV in UTF-8 or GB18030"),
    )


def _row_and_byte(path: Path, offset: int) -> tuple[int, int]:
    row, left = 1, offset
    with path.open("rb") as stream:
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            row += block.count(b"\n")
            left -= len(block)
        return row, (stream.read(1) or b"\0")[0]
