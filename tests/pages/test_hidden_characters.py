"""Characters that can't be seen and steer how others are shown stand as marks, wherever people read."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask import Flask
from test_sign_in import signed_in
from town import FINED

from scoring.access.keys import Role, create_key
from scoring.characters.visible import visible
from scoring.cli.keys import keys_group
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, open_ticket

MakeToken = Callable[[Role], str]
HIDDEN = "\u202e\u2066\u200f\ufeff"
MARKS = "⟨U+202E⟩⟨U+2066⟩⟨U+200F⟩⟨U+FEFF⟩"
NAME = f"样例{HIDDEN}有限公司"


def test_every_hidden_character_has_a_mark_and_no_other() -> None:
    kept = "\t\n\r"
    for character in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(character)
        if category == "Cn":  # some of them are given a meaning by a later Unicode than this Python's
            continue
        is_hidden = category in ("Cc", "Cf", "Zl", "Zp") and character not in kept
        assert (visible(character) != character) == is_hidden, hex(ord(character))


def test_a_name_on_a_page_shows_its_hidden_characters(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    given = create_key(town_store, Role.REGULATOR, NAME).token
    ticket = open_ticket(town_store, Subject(NAME, "hotline", FINED), Move("open", Actor.DESK, "样例"))
    client = signed_in(pages, given)
    for path in ("/tickets", f"/tickets/{ticket.id}"):
        shown = client.get(path).text
        assert f"样例{MARKS}有限公司" in shown, path
        assert not set(HIDDEN) & set(shown), path


def test_what_was_typed_comes_back_as_it_was(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    shown = client.get("/subjects", query_string={"search": f'"{NAME}'}).text
    assert f'value="&#34;{NAME}"' in shown


def test_a_name_in_a_table_of_the_command_line_shows_its_hidden_characters(town_store: Store) -> None:
    new = create_key(town_store, Role.OPERATOR, f"{NAME}\x1b[31m\n乙")
    url = town_store.engine.url.render_as_string(hide_password=False)
    listed = CliRunner().invoke(keys_group, ["list", "--database", url]).stdout
    line = next(line for line in listed.splitlines() if new.key.prefix in line)
    assert f"样例{MARKS}有限公司⟨U+001B⟩[31m 乙" in line


@pytest.mark.parametrize("text", ["", "样例　有限公司", "a\tb\nc\r\n", "José 🇨🇳 é"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert visible(text) == text
