"""A credit report as a PDF, by WeasyPrint: the same content gives the same bytes, and no browser runs.

Chromium would need a process of 300 MB beside the server, and dates every file that it prints. WeasyPrint
needs Pango and a font with Chinese characters from the system (docs/credit-report.md); without them nothing
is issued.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from rules.calendar import SHANGHAI
from rules.model import Column, Title
from rules.titles import TitledError
from scoring.answers.credit_report.content import Content
from scoring.characters.visible import shown

ADDRESS_VARIABLE = "XINHENG_ADDRESS"
"""Where the public reaches this service, such as https://credit.example.cn."""

_PAGES = Environment(loader=PackageLoader("scoring.answers.credit_report"), autoescape=True, finalize=shown)
_ONE_AT_A_TIME = threading.Lock()
"""Pango and fontconfig, which lay the text out, are not made for several threads."""


class PaperError(TitledError, RuntimeError):
    """A report can't be printed here; the message says what is missing."""


def report_pdf(content: Content, number: str, code: str, at: dt.datetime) -> bytes:
    """The report on paper.

    :param number: of the report, with its check code, as people read them.
    :param at: when it is issued.
    :raises PaperError: where Pango is missing, or no font has a character that stands in it.
    """
    address = _address()
    link = address and f"{address}/verify-report?{urlencode({'number': number, 'code': code})}"
    html = _PAGES.get_template("credit_report.html").render(
        content=content,
        number=number,
        code=code,
        at=_moment(at),
        known_at=_moment(content.known_at or at),
        address=address,
        qr=link and qr_code(link),
        value=_value,
    )
    with _ONE_AT_A_TIME:
        return _printed(html)


def _printed(html: str) -> bytes:
    try:
        import weasyprint  # a second, and a library of the system, that only this needs
    except OSError as error:
        raise PaperError(
            Title(
                "无法生成PDF:服务器缺少Pango,请安装libpango-1.0-0、libpangoft2-1.0-0、libharfbuzz-subset0",
                f"no PDF can be made: Pango is missing here (docs/credit-report.md): {error}",
            )
        ) from error
    document = weasyprint.HTML(string=html, url_fetcher=_nothing).render(pdf_variant="pdf/ua-1")
    printed: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    missing = sorted({chr(point) for font in document.fonts.values() for point in font.missing})
    if missing:
        raise PaperError(
            Title(
                f"字体缺少“{''.join(missing[:20])}”等{len(missing)}字,请安装fonts-noto-cjk",
                f"no font here has {len(missing)} of the characters (install fonts-noto-cjk)",
            )
        )
    return printed


def _nothing(url: str, *_: object, **__: object) -> NoReturn:
    """Nothing is fetched for a report: all that is in it comes from the store."""
    raise ValueError(f"not fetched: {url}")


def _address() -> str:
    address = os.environ.get(ADDRESS_VARIABLE, "").rstrip("/")
    if address and not address.startswith(("https://", "http://")):
        raise PaperError(
            Title(
                f"{ADDRESS_VARIABLE}应为网址,如https://credit.example.cn",
                f"{ADDRESS_VARIABLE} can't be {address!r}; right: such as https://credit.example.cn",
            )
        )
    return address


def qr_code(link: str, scale: int = 2) -> Markup:
    """A link as a drawing that a telephone reads: SVG.

    :param scale: the pixels of a module.

    >>> str(qr_code("https://credit.example.cn/verify?code=314159265358"))[:4]
    '<svg'
    """
    import segno

    return Markup(segno.make(link, error="m", micro=False).svg_inline(scale=scale, border=0, omitsize=False))


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _value(value: Any, column: Column) -> str:
    """A value as an official reads it."""
    title = column.values.get(str(value))
    if title is not None:
        return title.zh
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else str(value)
