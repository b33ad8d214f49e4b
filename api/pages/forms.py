"""What visitors send: forms, checked by the schemas of the API, and numbers in addresses."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from api.http.problems import fail
from rules.model import Title

LARGEST = 2**53
"""Of the numbers that the API takes."""


class FormError(ValueError):
    """What was filled in can't be used; one message for each field that is wrong."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def filled_in(schema: type[Schema]) -> dict[str, Any]:
    """What the form of this request says; a field that was left empty is left out.

    :param schema: that of the API's request for the same.
    :raises FormError: where the schema refuses it.
    """
    checked = schema()
    given = {name: text for name in checked.fields if (text := request.form.get(name, "").strip())}
    try:
        return dict(checked.load(given))
    except ValidationError as error:
        raise FormError([f"{name}: {' '.join(said)}" for name, said in _fields(error)]) from None


def number(name: str) -> int | None:
    """A number of this request's address; None where it names none.

    :raises Problem: 400 where it is no number of anything here.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= LARGEST):
        fail("bad-request", Title(f"地址中的{name}不是本列表的编号", f"{name} is not a number of this list"))
    return int(text)


def _fields(error: ValidationError) -> list[tuple[str, list[str]]]:
    return [(str(name), [str(text) for text in said]) for name, said in error.messages_dict.items()]
