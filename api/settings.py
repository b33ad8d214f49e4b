"""What the environment says about the server."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from api.around.limits import parse_rate
from rules.calendar import day_of
from rules.titles import Title, TitledError
from scoring.access.consents import LONGEST_MONTHS
from scoring.access.identities import checked_issuer
from scoring.access.keys import CACHE_SECONDS
from scoring.store.connection import parse_url
from scoring.store.revision import address

SHORTEST_SECRET = 32
MOST_PROXIES = 10
MOST_MONTHS = 120
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(TitledError, ValueError):
    """A variable of the environment that can't be used; the message names it and what would be right."""


_Value = str | int | float | dt.date


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's settings, each from an environment variable.

    :param database_url: XINHENG_DATABASE_URL: the store.
    :param pack: XINHENG_PACK: the pack whose grades are meant where a request names none.
    :param rate_limit: XINHENG_RATE_LIMIT: requests a key may make of a worker, such as ``600/minute``.
    :param cache_seconds: XINHENG_CACHE_SECONDS: how soon every worker refuses a revoked key and answers by a
        run just published.
    :param max_body_bytes: XINHENG_MAX_BODY_BYTES: the largest request taken.
    :param proxies: XINHENG_PROXIES: how many proxies stand before the server. The word of that many and no
        more is taken for the client's address (X-Forwarded-For) and for http or https (X-Forwarded-Proto).
    :param secret: XINHENG_SECRET: what the pages' sign-ins are signed with; all workers need the same, so
        `xinheng serve` makes one for its own where it is not set.
    :param address: XINHENG_ADDRESS: where the public reaches the pages, such as ``https://credit.example.cn``:
        what is to be opened elsewhere (square codes, the way back from a provider) has it, and never the
        address that a request says it came to. Sign-in at a provider needs it.
    :param consent_months: XINHENG_CONSENT_MONTHS: the longest term of a consent to a lender.
    :param public: XINHENG_PUBLIC: whether the pages under /public are there for everybody, without a key.
    :param public_ranking: XINHENG_PUBLIC_RANKING: the day as of which the district publishes the ranking of
        its departments there; without it none is shown.
    :param openid_issuer: XINHENG_OPENID_ISSUER: the provider of OpenID Connect at which persons may sign in
        to the pages; with XINHENG_OPENID_CLIENT and XINHENG_OPENID_SECRET, by which it knows this service.
    :param demo_secret: XINHENG_DEMO_SECRET: what the passes of `xinheng demo --serve` are signed with, which
        alone sets it; without it no pass is honoured.
    :param log_level: XINHENG_LOG_LEVEL: debug, info, warning or error. Each request is logged at info.
    """

    database_url: str | None = None
    pack: str = "enterprise-credit"
    rate_limit: str = "6000/minute"
    cache_seconds: float = CACHE_SECONDS
    max_body_bytes: int = 16 * 1024 * 1024
    proxies: int = 0
    consent_months: int = LONGEST_MONTHS
    log_level: str = "info"
    public: bool = False
    public_ranking: dt.date | None = None
    address: str | None = None
    openid_issuer: str | None = None
    openid_client: str | None = None
    openid_secret: str | None = field(default=None, repr=False)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    demo_secret: str | None = field(default=None, repr=False)

    def summary(self) -> dict[str, str]:
        """The settings as they may be shown: without passwords."""
        shown = {name: str(getattr(self, name)) for name in self.__slots__}
        shown["database_url"] = address(parse_url(self.database_url))
        shown |= dict.fromkeys(_SECRETS & {n for n in shown if getattr(self, n)}, "(not shown)")
        del shown["demo_secret"]
        return shown


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment; what it doesn't say is as by default.

    :raises SettingsError: naming the variable that can't be used.
    """
    found: dict[str, _Value] = {}
    for name, (convert, right) in _VARIABLES.items():
        text = environment.get(_variable(name))
        if text:
            try:
                found[name] = convert(text)
            except ValueError:
                raise _wrong(name, text, right) from None
    given = [name for name in _OPENID if name in found]
    if given and len(given) < len(_OPENID):
        missing = [_variable(name) for name in _OPENID if name not in found]
        en = f"{_variable(given[0])} needs {' and '.join(missing)} as well"
        raise SettingsError(Title(f"设置了{_variable(given[0])},还须设置{'、'.join(missing)}", en))
    if given and "address" not in found:
        en = f"{_variable(given[0])} needs {_variable('address')} as well: people come back there"
        zh = f"设置了{_variable(given[0])},还须设置{_variable('address')},认证服务据此返回"
        raise SettingsError(Title(zh, en))
    return Settings(**found)  # type: ignore[arg-type]  # each converter gives its field's type


def _variable(name: str) -> str:
    return f"XINHENG_{name.upper()}"


def _wrong(name: str, text: str, right: Title) -> SettingsError:
    zh, en = ("现值", "what it is") if name in _SECRETS else (repr(text), repr(text))
    variable = _variable(name)
    return SettingsError(
        Title(f"{variable}不能为{zh};应为:{right.zh}", f"{variable} can't be {en}: right: {right.en}")
    )


_SWITCH = {"0": False, "1": True}


def _switch(text: str) -> bool:
    if text not in _SWITCH:
        raise ValueError
    return _SWITCH[text]


def _rate(text: str) -> str:
    parse_rate(text)
    return text


def _whole(least: int, most: int) -> tuple[Callable[[str], int], Title]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return convert, Title(f"{least}至{most}", f"{least} to {most}")


def _level(text: str) -> str:
    if text not in LOG_LEVELS:
        raise ValueError
    return text


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise ValueError
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    is_right = parts.scheme in ("https", "http") and parts.hostname and not parts.username
    if not is_right or parts.query or parts.fragment or not text.isascii():
        raise ValueError
    return text.rstrip("/")


_TEXT = str, Title("文本", "text")
_LONG_SECRET = (
    _secret,
    Title(f"至少{SHORTEST_SECRET}个随机字符", f"{SHORTEST_SECRET} characters or more, chosen at random"),
)
_VARIABLES: dict[str, tuple[Callable[[str], _Value], Title]] = {
    "database_url": _TEXT,
    "pack": _TEXT,
    "rate_limit": (
        _rate,
        Title("如600/minute,也可用second、hour、day", "such as 600/minute; or second, hour, day"),
    ),
    "cache_seconds": (float, Title("秒数,如2", "seconds, such as 2")),
    "max_body_bytes": (int, Title("字节数,如16777216", "bytes, such as 16777216")),
    "proxies": _whole(0, MOST_PROXIES),
    "consent_months": _whole(1, MOST_MONTHS),
    "log_level": (_level, Title(f"{'、'.join(LOG_LEVELS)}之一", f"one of {', '.join(LOG_LEVELS)}")),
    "public": (_switch, Title("1或0", "1 or 0")),
    "public_ranking": (
        day_of,
        Title("日期,如2026-12-31", "a day such as 2026-12-31"),
    ),
    "address": (
        _web_address,
        Title("网址,如https://credit.example.cn", "an address such as https://credit.example.cn"),
    ),
    "openid_issuer": (
        checked_issuer,
        Title(
            "认证服务的地址,如https://id.example.cn",
            "the provider's address, such as https://id.example.cn",
        ),
    ),
    "openid_client": _TEXT,
    "openid_secret": _TEXT,
    "secret": _LONG_SECRET,
    "demo_secret": _LONG_SECRET,
}
_OPENID = ("openid_issuer", "openid_client", "openid_secret")
_SECRETS = frozenset({"secret", "openid_secret", "demo_secret"})
