"""Which encoding a text file is in, by decoding all of it strictly; and where it can't be decoded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from operator import itemgetter
from pathlib import Path

from rules.model import Title
from scoring.facts.ingest import bounds
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.lines import LINE_END, lines

_BLOCK = 1 << 20
_HEAD = 1 << 12
_LINE_END = re.compile(LINE_END)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_WHOLE = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BROKEN = re.compile(rb"[\x80-\xff]+")
_WIDE = re.compile("[\u0800-\U0010ffff]+")
_CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_SURELY = 2
_GB = ("gb18030", "gbk", "gb2312")
_LONGEST_LINE = 1 << 16
_NARROW = re.compile("[\x80-\u07ff]")
_NO_SCRIPT = re.compile("[\0-\x7f\u3000-\u303f\uff00-\uff60\uffe0-\uffef]+")
_ENOUGH = 1 << 16
_LONGEST_CHARACTER = 4
_LEAST_CHARACTERS, _CLEARLY = 8, Fraction(1, 3)
"""Of so few characters nobody can tell one encoding from another; above, the shares of common ones lie
further apart than this (own choice: by less than 0.15 where texts in GB18030 were tried, traditional ones
among them, and by more than 0.5 where texts in Big5 were)."""


def find_encoding(path: Path, given: str | None = None) -> str:
    """UTF-8 (with or without byte-order mark) or UTF-16 where the file looks so; else GB18030.

    A file most of whose Chinese characters are right UTF-8 is UTF-8, though a byte of it may be damaged.

    :param given: the encoding that a mapping names; it alone is tried.
    :raises IngestError: naming byte and row of what can't be decoded.
    """
    encoding = given or _by_mark(path) or _utf16(path) or _by_characters(path)
    if encoding.lower() in _GB:
        _check_lines(path)
    if given is None and encoding == "gb18030":
        _refuse_rivals(path)
    if given is None:
        _refuse_seven_bits(path)
    offset = _first_undecodable(path, encoding)
    if offset is not None:
        raise _not_decodable(path, encoding, offset)
    return encoding


def _by_mark(path: Path) -> str | None:
    """What the mark at the beginning says; it alone, so that what is otherwise is named and not guessed."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(_UTF16_MARKS) and not head.startswith(_UTF32_MARKS) and _is_bytewise(head[2:]):
        raise _not_decodable(path, "utf-16", 2)
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else None


def _is_bytewise(text: bytes) -> bool:
    """Whether a text has signs of one byte and none of two, as every table in UTF-16 has."""
    return 0 not in text and any(sign in text for sign in b",;\t\r\n")


def _check_lines(path: Path) -> None:
    """Refuse a line of UTF-8 in a file of GB18030, which would be read as other characters.

    :raises IngestError: naming the line.
    """
    for row, line in _lines(path):
        if _is_utf8(line):
            raise _mixed(path, row)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with bytes beyond ASCII, and their numbers; no character holds the byte of a line end."""
    with path.open(encoding="latin-1", newline="") as stream:
        for row, line in lines(stream, path.name, _LONGEST_CHARACTER * bounds.LONGEST_LINE):
            if not line.isascii():
                yield row, line.encode("latin-1")


def _refuse_rivals(path: Path) -> None:
    """Refuse a file that reads much better in another encoding than in GB18030, which would take it for other
    characters.

    :raises IngestError: naming both.
    """
    sample = b""
    for _, line in _lines(path):
        sample += line
        if len(sample) >= _ENOUGH:
            break
    read = _signs(sample, "gb18030")
    gained, rival = max(
        ((_gained(read, _signs(sample, rival.encoding), rival), rival) for rival in _RIVALS),
        key=itemgetter(0),
    )
    if gained >= _CLEARLY:
        raise IngestError(
            path.name,
            Title(
                f"像是{rival.title.zh}编码,不是GB18030",
                f"it seems to be in {rival.title.en}, and not in GB18030",
            ),
            Title(
                "请另存为UTF-8或GB18030编码的CSV;如确为GB18030,请在对照文件中写明encoding: gb18030",
                "save it as CSV in UTF-8 or GB18030; or a mapping file that says encoding: gb18030",
            ),
        )


def _refuse_seven_bits(path: Path) -> None:
    """Refuse Chinese characters that are written with those of ASCII, which would be read as these.

    :raises IngestError: naming the encoding.
    """
    with path.open("rb") as stream:
        sample = stream.read(_ENOUGH)
    if not sample.isascii():
        return
    for title, encoding, shape in _SEVEN_BITS:
        said = b"".join(shape.findall(sample)).decode(encoding, "ignore")
        if len(_NO_SCRIPT.sub("", said)) >= _SURELY:
            raise IngestError(
                path.name,
                Title(f"这是{title}编码的文件", f"the file is in {title}"),
                Title("另存为UTF-8或GB18030编码的CSV", "save it as CSV in UTF-8 or GB18030"),
            )


def _signs(text: bytes, encoding: str) -> str:
    """The characters that a text has in an encoding, without punctuation."""
    return _NO_SCRIPT.sub("", text.decode(encoding, "replace"))


def _gained(read: str, signs: str, rival: _Rival) -> Fraction:
    """How much more common the characters are in a rival than as they are read."""
    if len(signs) < _LEAST_CHARACTERS:
        return Fraction(0)
    return _share(signs, rival.common()) - _share(read, rival.common_in_gb18030())


def _share(signs: str, common: frozenset[str]) -> Fraction:
    """The share of common ones."""
    return Fraction(sum(map(common.__contains__, signs)), len(signs) or 1)


@cache
def _characters(encoding: str, first: int, last: int) -> frozenset[str]:
    """The characters of two bytes whose first byte lies between two: of GB/T 2312-1980 the 6,763 Chinese
    ones, of Big5 those of its first level, which are the common ones."""
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(0x40, 0xFF))
    return frozenset(filter(_WIDE.fullmatch, (pair.decode(encoding, "ignore") for pair in pairs)))


@dataclass(frozen=True, slots=True)
class _Rival:
    """An encoding whose bytes GB18030 takes for characters of its own.

    :param common: the characters of which most texts in it are made.
    :param common_in_gb18030: those of which most Chinese texts are made, as finely as they have to be told.
    """

    title: Title
    encoding: str
    common: Callable[[], frozenset[str]]
    common_in_gb18030: Callable[[], frozenset[str]]


def _japanese() -> frozenset[str]:
    """Kana, and the kanji of the first level."""
    return _characters("shift_jis", 0x82, 0x83) | _characters("shift_jis", 0x88, 0x98)


_KANA = "".join(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FD))))
_FREQUENT_KANJI = frozenset(
    "社会株式東京都市区町村号番名称日本有限行人事業法支店商工電気第一二三所大阪府県山田中川口野島木松代表取締"
    "役住金額年月登録認定処分許可内外国新高小長合同自動車部品製作販売食料理建設信用企機関発学院" + _KANA
)
_FREQUENT_HANGUL = frozenset(
    "이다는에가의을를은한하고지사로기인시자대해리도서어정제수주동일보전상부구국원소장조관금공업식회호번명용신법등"
    "록처분행과산비개성영문내중안세위발경합생학계물유울특별점라나"
)
_FREQUENT_CHINESE = frozenset(
    "编号信用代码名称企业公司有限责任日期金额元类别状态等级机关备注统一社会记录处罚许可决定书文内容事由依据地址"
    "法表人单位部门税务市场监督管理局区县镇街道村路重庆四川北京上海江苏浙广东山河南湖店商贸超餐饮酒楼馆饭面食品"
    "科技建筑工程劳农合作家庭经营个体户年月行政的是在不了和这中大为国我以要他时来们生到于出就分对成主发动同也能"
    "下过子说产种而方后多学所民得十三之进着度电力里如水化高自二理起小物现实加量都两制当使点从本去把性好应开它还"
    "因其些然前外天日那义平形相全间样与关各重新线数正心反明看原么利比或但质气第向命此变条只没结解问意无系情者最"
    "立已通并提直题党展五果料员位入常总次式活设及特件长求老头基资边流少图接知将组见计手根论运指几九强放西被干做"
    "必先回则取据队给色光即保治造百规热领七口导器志世增济油思术交受联什认六共权收证改清己美再采转更风打白教速花"
    "带安身车例真具万每目至达示议报完八华确才张马节话整空况今集传土步广石需段研界林律究观织装算低持布复儿须际非"
    "连断深难近千周委备半办青省列习约支般劳便团历何除消府太准值率族维划选标写存候亲快效院查型按格养易置层片始专"
    "育厂识适属圆包火住调满照参引听该铁价严某未履行欠缴款奖励承诺投诉检修复撤销失效范异常名录"
)
"""The commonest characters of offices' texts, where every character of an encoding is one of another (own
choice)."""

_HANZI = partial(_characters, "gb2312", 0xB0, 0xF7)
_RIVALS = (
    _Rival(Title("Big5(繁体中文)", "Big5"), "big5hkscs", partial(_characters, "big5", 0xA4, 0xC6), _HANZI),
    _Rival(Title("Shift_JIS(日文)", "Shift_JIS"), "cp932", _japanese, _HANZI),
    _Rival(Title("EUC-JP(日文)", "EUC-JP"), "euc_jp", lambda: _FREQUENT_KANJI, lambda: _FREQUENT_CHINESE),
    _Rival(Title("EUC-KR(韩文)", "EUC-KR"), "cp949", lambda: _FREQUENT_HANGUL, lambda: _FREQUENT_CHINESE),
    _Rival(Title("JOHAB(韩文)", "JOHAB"), "johab", lambda: _FREQUENT_HANGUL, lambda: _FREQUENT_CHINESE),
)
_SEVEN_BITS = (
    ("HZ", "hz", re.compile(rb"~\{(?:[!-w][!-~])+~\}")),
    ("ISO-2022-JP", "iso2022_jp_2", re.compile(rb"\x1b\$(?:[@B]|\(D)(?:[!-~]{2})+\x1b\([BJ]")),
    ("ISO-2022-KR", "iso2022_kr", re.compile(rb"\x1b\$\)C|\x0e(?:[!-~]{2})+\x0f")),
)
"""Name, codec and shape of the encodings that write characters with those of ASCII."""


def _is_utf8(line: bytes) -> bool:
    """Whether all beyond ASCII is right UTF-8, with two Chinese characters: of GB18030 none looks so."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(map(len, _CHINESE.findall(text))) >= _SURELY


def _utf16(path: Path) -> str | None:
    """UTF-16 by its mark, or by the zeros that its ASCII characters have in every other byte.

    Some Chinese characters (一) have one in the other.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(_UTF32_MARKS) or (not head.startswith(_UTF16_MARKS) and _is_utf32(head)):
        raise IngestError(
            path.name,
            Title("这是UTF-32编码的文件", "the file is in UTF-32"),
            Title("另存为UTF-8或GB18030编码的CSV", "save it as CSV in UTF-8 or GB18030"),
        )
    if head.startswith(_UTF16_MARKS):
        return "utf-16"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 3 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf32(head: bytes) -> bool:
    """Whether two neighbours of four bytes are always zero, as no characters of UTF-16 have them."""
    planes = [head[n::4] for n in range(4)]
    return all(planes) and any(head) and any(not any(planes[n] + planes[n + 1]) for n in (0, 2))


@dataclass(slots=True)
class _Seen:
    """What the bytes beyond ASCII are.

    :param whole: characters of three or four bytes that are right UTF-8, as Chinese ones are.
    :param broken: runs of bytes that are none.
    :param short: the different characters of two bytes: letters, or Chinese in GB18030 that happens to be
        UTF-8.
    """

    whole: int = 0
    broken: int = 0
    short: set[str] = field(default_factory=set)

    @property
    def is_utf8(self) -> bool:
        if self.broken or self.whole or not self.short:
            return self.whole >= self.broken
        return not all(0x100 <= ord(c) < 0x600 and ord(c) & 0x3F > 0x20 for c in self.short)


def _by_characters(path: Path) -> str:
    """As what most characters are; where UTF-8 reads all, and one is Chinese, that is clear at once."""
    if _first_undecodable(path, "utf-8") is None and _has_wide(path):
        return "utf-8-sig"
    seen = _Seen()
    with path.open("rb") as stream:
        rest = b""
        while block := stream.read(_BLOCK):
            if block.isascii() and not rest:
                continue
            text = rest + block
            cut = _last_ascii(text)
            _look(text[:cut], seen)
            rest = text[cut:]
        _look(rest, seen)
    return "utf-8-sig" if seen.is_utf8 else "gb18030"


def _has_wide(path: Path) -> bool:
    """Whether a file in UTF-8 has a character of three or four bytes."""
    with path.open(encoding="utf-8", newline="") as stream:
        return any(_WIDE.search(text) for text in iter(lambda: stream.read(_BLOCK), ""))


def _last_ascii(text: bytes) -> int:
    """Where the last ASCII byte of a text ends, so that no character is cut."""
    cut = len(text)
    while cut and cut > len(text) - _HEAD and text[cut - 1] >= 0x80:
        cut -= 1
    return cut


def _look(text: bytes, seen: _Seen) -> None:
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        left, whole = _WHOLE.subn(b" ", text)
        seen.whole += whole
        seen.broken += len(_BROKEN.findall(left))
    else:
        seen.whole += sum(map(len, _WIDE.findall(decoded)))
        seen.short.update(_NARROW.findall(decoded))


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """The offset of the first byte that is not of the encoding; None where every byte is."""
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()  # which counts without the mark
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
    row, byte = _row_and_byte(path, encoding, offset)
    shown = encoding.removesuffix("-sig").upper()
    where = f"byte {offset} (0x{byte:02X}), row {row}"
    zh, en = f"第{row}行(第{offset}字节)不是{shown}编码", f"not {shown} at {where}"
    if _is_gb18030(path, offset):
        return IngestError(
            path.name, Title(f"{zh},而像是GB18030编码", f"{en}, but perhaps GB18030"), _ONE_ENCODING
        )
    return IngestError(
        path.name,
        Title(zh, en),
        Title(
            "该处字节已损坏;请改正后另存为UTF-8或GB18030编码的CSV",
            "the byte is damaged, or of another encoding; mend it and save as CSV in UTF-8 or GB18030",
        ),
    )


_ONE_ENCODING = Title(
    "文件混有两种编码,或开头的UTF-8标记有误;请把全部内容统一为UTF-8(或GB18030)后另存为CSV",
    "the file mixes two encodings, or its mark is wrong; save all of it as CSV in UTF-8, or in GB18030",
)


def _mixed(path: Path, row: int) -> IngestError:
    reason = Title(
        f"第{row}行是UTF-8编码,文件的其他部分是GB18030编码", f"row {row} is UTF-8, and the rest GB18030"
    )
    return IngestError(path.name, reason, _ONE_ENCODING)


def _is_gb18030(path: Path, offset: int) -> bool:
    """Whether the line of a byte that is not UTF-8 is right GB18030: not UTF-8 with a damaged character."""
    with path.open("rb") as stream:
        begin = max(0, offset - _LONGEST_LINE)
        stream.seek(begin)
        before = stream.read(offset - begin)
        line = before.splitlines()[-1] if before and before[-1] not in b"\r\n" else b""
        line += (stream.readline(_LONGEST_LINE).splitlines() or [b""])[0]
    line = line.removeprefix(codecs.BOM_UTF8)
    try:
        line.decode("gb18030")
    except UnicodeDecodeError:
        return False
    rest, whole = _WHOLE.subn(b" ", line)
    runs = _BROKEN.findall(rest)
    # two characters of GB18030 are four bytes; of one damaged character of UTF-8 at most three are left
    return len(runs) > whole and sum(map(len, runs)) >= 4


def _row_and_byte(path: Path, encoding: str, offset: int) -> tuple[int, int]:
    """The line of a byte as an editor counts, and the byte."""
    decoder = codecs.getincrementaldecoder(encoding)("ignore")
    row, left, rest = 1, offset, ""
    with path.open("rb") as stream:
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            text = rest + decoder.decode(block)
            rest = text[len(text.rstrip("\r")) :]
            row += len(_LINE_END.findall(text, 0, len(text) - len(rest)))
            left -= len(block)
        return row + len(_LINE_END.findall(rest)), (stream.read(1) or b"\0")[0]
