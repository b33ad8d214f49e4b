"""Walks the pages of a site over their own links, and reads what stands on them."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

BROWSER = {"Accept": "text/html"}
EACH = 2
"""Of pages that differ in nothing but what they show (one address, the same parameters), so many are read."""

_READ_OUT = ("aria-label", "title", "alt", "placeholder")
_UNREAD = ("script", "style")
_VOID = ("meta", "link", "img", "input", "br", "rect", "hr")


@dataclass(frozen=True, slots=True)
class Words:
    """A text that somebody reads.

    :param within: the tag that holds it and its classes, as ``code.number-of``; ``!`` where that says of
        itself that it is not to be translated.
    """

    text: str
    within: str

    @property
    def is_whole(self) -> bool:
        """Whether it is a paragraph, an item or a cell."""
        return self.within.split(".")[0] in ("p", "li", "td")


@dataclass(slots=True)
class Read(HTMLParser):
    """What stands on a page: its words, and where its links lead."""

    words: list[Words] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = ".".join((tag, *given.get("class", "").split()))
        for attribute in _READ_OUT:
            if given.get(attribute):
                self.words.append(Words(given[attribute], f"{name}[{attribute}]"))
        if "data-values" in given:
            self.words += [Words(text, "chart") for text in _texts(json.loads(given["data-values"]))]
        if tag == "a" and given.get("href", "").startswith(("/", "?")):
            self.links.append(given["href"])
        if tag not in _VOID:
            self._open.append(name + ("!" if given.get("translate") == "no" else ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().rstrip("!").split(".")[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        within = self._open[-1] if self._open else ""
        is_choice = any(name == "ul.languages" for name in self._open)
        if data.strip() and within.split(".")[0] not in _UNREAD and not is_choice:
            self.words.append(Words(" ".join(data.split()), within))


def read(html: str) -> Read:
    """What stands on a page."""
    page = Read()
    page.feed(html)
    return page


def visitor(site: Flask, language: str, key: str | None = None) -> FlaskClient:
    """A browser of who reads a language, signed in where it has a key."""
    client = site.test_client()
    client.set_cookie("language", language)
    if key is not None:
        form = {"key": key, "form_token": form_token(client)}
        assert client.post("/sign-in", data=form, headers=BROWSER).status_code == 303
    return client


def form_token(client: FlaskClient, path: str = "/sign-in") -> str:
    """What a form of this browser holds."""
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(path, headers=BROWSER).text)
    assert found
    return found[1]


def walk(site: Flask, client: FlaskClient, starts: tuple[str, ...]) -> Iterator[tuple[str, list[Words]]]:
    """Each page that is reached from some, and what stands on it."""
    waiting, seen, read_of = deque(starts), set(starts), Counter[Any]()
    while waiting:
        path = waiting.popleft()
        kind = _kind(site, path)
        if kind is None or read_of[kind] == EACH:
            continue
        read_of[kind] += 1
        answer = client.get(path, headers=BROWSER)
        if answer.status_code == 303:
            links = [urlsplit(answer.location)._replace(scheme="", netloc="").geturl()]
        elif answer.mimetype == "text/html":
            page = read(answer.text)
            yield path, page.words
            links = [urljoin(path, link).split("#")[0] for link in page.links]
        else:
            continue
        waiting += [link for link in dict.fromkeys(links) if link not in seen]
        seen |= set(links)


def _kind(site: Flask, path: str) -> Any:
    """What pages have in common that differ in what they show; None of what is not to be opened."""
    address = urlsplit(path)
    try:
        endpoint, places = site.url_map.bind("").match(address.path)
    except HTTPException:
        return path
    if endpoint in ("pages.choose_language", "pages.static"):
        return None
    query = parse_qs(address.query)
    kinds = {name: given for name, given in query.items() if name in ("vocabulary", "state", "pack")}
    return endpoint, places.get("pack_id"), str(kinds), tuple(query)


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for inner in values.values():
            yield from _texts(inner)
    elif isinstance(values, list):
        for inner in values:
            yield from _texts(inner)
