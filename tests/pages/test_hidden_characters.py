"""Characters that can't be seen and steer how others are shown stand as marks, wherever people read."""

from __future__ import annotations

import ast
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from test_sign_in import signed_in
from town import FINED

from scoring import cli
from scoring.access.keys import Role, create_key
from scoring.characters.visible import visible
from scoring.cli import main
from scoring.cli.keys import keys_group
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, open_ticket

MakeToken = Callable[[Role], str]
HIDDEN = "\u202e\u2066\u200f\ufeff"
MARKS = "⟨U+202E⟩⟨U+2066⟩⟨U+200F⟩⟨U+FEFF⟩"
NAME = f"样例{HIDDEN}有限公司"
BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and signs that have no form."""


def test_every_hidden_character_has_a_mark_and_no_other() -> None:
    kept = "\t\n\r"
    for character in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(character)
        if category == "Cn":  # some of them are given a meaning by a later Unicode than this Python's
            continue
        is_hidden = (category in ("Cc", "Cf", "Zl", "Zp") and character not in kept) or character in BLANK
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


def test_a_name_in_what_a_command_tells_shows_its_hidden_characters(town_store: Store) -> None:
    url = town_store.engine.url.render_as_string(hide_password=False)
    create_key(town_store, Role.LENDER, "样例", NAME)
    for command in ("stop", "lift"):
        words = ["consents", command, "--lender", NAME, "--reason", "样例", "--database", url]
        told = CliRunner().invoke(main, words).output
        assert "样例⟨U+202E⟩" in told, told
        assert "有限公司: 已" in told
        assert not set(HIDDEN) & set(told)


def test_what_a_command_refuses_shows_its_hidden_characters(town_store: Store) -> None:
    url = town_store.engine.url.render_as_string(hide_password=False)
    told = CliRunner().invoke(main, ["keys", "revoke", f"xh_{HIDDEN}", "--database", url]).output
    assert f"there is no key xh_{MARKS}" in told


def test_commands_print_through_what_shows_hidden_characters() -> None:
    for path in (path for path in Path(cli.__path__[0]).glob("*.py") if path.name != "output.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("click.echo", "print"):
                printed = ast.unparse(call)
                is_document = "json.dumps(" in printed or "nl=False" in printed
                assert is_document or printed in ("click.echo(new.token)", "click.echo('')"), (path, printed)


@pytest.mark.parametrize("text", ["", "样例　有限公司", "a\tb\nc\r\n", "José 🇨🇳 é"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert visible(text) == text
