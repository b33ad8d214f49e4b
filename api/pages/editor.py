"""The editor: a draft of a version as forms, with its faults and what its examples give as one types.

Nothing is kept here: the draft travels with its form, and becomes a version by being proposed
(:mod:`api.pages.drafts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from api.around.context import packs_called, store
from api.http.problems import fail
from api.pages import editor_form as forms
from api.pages.blueprint import blueprint, page
from api.pages.drafts import show_draft
from api.pages.forms import posted_number
from api.pages.simulation import DRAFT
from rules.calendar import today
from rules.chinese import in_chinese
from rules.fault import WHOLE, Fault, PackError, Place
from rules.model import Pack, Title
from rules.text.source import Document, field_name, read, standing_at
from rules.tools.edit import lines_of, with_entry, with_value, without
from rules.tools.lint import Severity
from scoring.answers.examples import ExampleResult
from scoring.rulemaking import desk
from scoring.rulemaking.draft import Draft, examine
from scoring.store.packs import stored_text
from scoring.store.rulebook import known_text

LARGEST = 512 * 1024
"""Bytes of a draft that is edited here (own choice): five times the largest pack of the library."""
_OUTCOMES = (("no hit", "不适用"), ("hit", "适用"), ("points", "分值"), ("score", "得分"), ("tier", "等级"))


@dataclass
class _Said:
    """What there is to say of a draft, by the path of what it is about."""

    draft: Draft | None = None
    errors: list[tuple[str, Title]] = field(default_factory=list)
    notes: list[tuple[str, Title]] = field(default_factory=list)
    examples: dict[str, ExampleResult] = field(default_factory=dict)

    @property
    def failed(self) -> list[tuple[str, ExampleResult]]:
        return [(name, result) for name, result in self.examples.items() if not result.passed]

    def of(self, name: str, fields: list[str]) -> list[Title]:
        """What is said of a field, and of no field within it."""
        return [title for about, title in (*self.errors, *self.notes) if _nearest(about, fields) == name]

    def elsewhere(self, fields: list[str]) -> list[tuple[str, Title]]:
        """What is said of none of the fields."""
        return [(about, said) for about, said in (*self.errors, *self.notes) if not _nearest(about, fields)]


@blueprint.get("/rules/<pack_id>/edit")
def editor(pack_id: str) -> Response:
    """Begin from the version that begins last, or from one that is proposed."""
    versions = packs_called(pack_id)
    if digest := request.args.get("draft"):
        found = desk.find_proposed(store(), digest)
        text = stored_text(store(), found.pack_hash).text
    else:
        text = known_text(store(), versions[-1]).text
    return _edited(pack_id, _plain(text), forms.HEAD, desk.last_proposed(store(), pack_id))


@blueprint.post("/rules/<pack_id>/edit")
def edit(pack_id: str) -> Response:
    """The draft with what was filled in, and what there is to say of it: nothing is kept."""
    return _answered(pack_id, is_ended=False)


@blueprint.post("/rules/<pack_id>/edit/draft")
def end_editing(pack_id: str) -> Response:
    """What the draft changes and who would move by it, to be proposed; the editor where it has faults."""
    return _answered(pack_id, is_ended=True)


def _answered(pack_id: str, is_ended: bool) -> Response:
    text, part = _plain(request.form.get("text", "")), request.form.get("part", forms.HEAD)
    known = posted_number("known")
    _require_size(text)
    try:
        text = _filled_in(text, part)
        text, part = _done(text, request.form.get("open") or part, request.form.get("do", ""))
    except PackError as error:
        return _edited(pack_id, text, part, known, error.faults)
    _require_size(text)
    if is_ended and (draft := _said_of(text).draft) is not None:
        return show_draft(draft, known)
    return _edited(pack_id, text, part, known)


def _print(text: str) -> str:
    """By which a text is known again: that the draft began with, beside what became of it."""
    return sha256(text.encode()).hexdigest()[:16]


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _require_size(text: str) -> None:
    if len(text.encode()) > LARGEST:
        most = LARGEST // 1024
        en = f"a draft of more than {most} KiB is not edited here: send it as a file"
        fail("invalid", Title(f"草案超过{most}KiB,不能在此编辑,请以文件上传", en))


def _filled_in(text: str, part: str) -> str:
    if part == forms.TEXT:
        return text
    form = forms.form_of(_data(text), part)
    return forms.applied(text, DRAFT, form, request.form)


def _done(text: str, part: str, do: str) -> tuple[str, str]:
    """The text after a button was pressed, and the part that is open then."""
    what, _, name = do.partition(":")
    path = forms.path_of(name)
    data = _data(text) if what in ("add", "drop", "copy") else None
    if what == "add" and name == f"{part}.examples":
        last = (standing_at(data, path) or [{"given": {}, "as_of": today(), "hit": True}])[-1]
        return with_value(text, DRAFT, (*path, len(standing_at(data, path) or ())), deepcopy(last)), part
    if what == "drop" and standing_at(data, path) is not None:
        return without(text, DRAFT, path), part if name != part else forms.HEAD
    if what == "copy" and name == part and isinstance(rule := standing_at(data, path), dict):
        section, place = path[0], int(path[1]) + 1
        made = {**deepcopy(rule), "id": f"{rule.get('id')}.new"}
        return with_entry(text, DRAFT, (section, place), made), f"{section}.{place}"
    return text, part


def _data(text: str) -> Any:
    """The data of a draft.

    :raises PackError: where it is not YAML, or no mapping.
    """
    data = read(text, DRAFT).data
    if not isinstance(data, dict):
        message, hint = "not a mapping of lines", "pack: …, one key a line"
        raise PackError([Fault(Place(DRAFT, 1, 1), WHOLE, "", message, hint)])
    return data


def _edited(pack_id: str, text: str, part: str, known: int, refused: list[Fault] | None = None) -> Response:
    try:
        data = _data(text)
    except PackError as error:
        data, refused, part = {}, error.faults, forms.TEXT
    said = _said_of(text) if data else _Said()
    said.errors[:0] = [(_name(fault.field), _told(fault)) for fault in refused or ()]
    form = forms.form_of(data, part) if part != forms.TEXT else None
    names = [each.name for each in form.all_fields()] if form else []
    begun = request.form.get("begun", "") if request.method == "POST" else _print(text)
    return page(
        "editor",
        pack_id=pack_id,
        packs_title=packs_called(pack_id)[-1].title,
        text=text,
        part=part,
        known=known,
        begun=begun,
        is_changed=begun != _print(text),
        form=form,
        groups=forms.parts_of(data),
        said=said,
        names=names,
        rule=_rule(said.draft.pack, data, part) if said.draft else None,
        source=_source(data, text, part),
        outcome=_outcome,
        part_of=lambda name: ".".join(name.split(".")[:2]) if name.count(".") > 1 else forms.TEXT,
        action=url_for("pages.edit", pack_id=pack_id),
    )


def _said_of(text: str) -> _Said:
    said = _Said()
    document = read(text, DRAFT)
    try:
        said.draft = examine(store(), text, DRAFT, None, today())
    except PackError as error:
        said.errors = [(_name(fault.field), _told(fault)) for fault in error.faults]
        return said
    said.errors = [("in_force.from", title) for title in said.draft.refusals]
    for found in said.draft.findings:
        is_error = found.severity is Severity.ERROR
        (said.errors if is_error else said.notes).append((_at(document, found.place), found.title))
    places = {document.place(path): _name(field_name(path)) for path in document.spots if "?" not in path}
    said.examples = {places.get(one.place, ""): one for one in said.draft.examples}
    return said


def _name(written: str) -> str:
    return re.sub(r"\[(\d+)\]", r".\1", written)


def _at(document: Document, place: Place) -> str:
    """The path of what stands at a place: of values on its line the last that begins before it."""
    before = [
        (spot.column, _name(field_name(path)))
        for path, spot in document.spots.items()
        if spot.line == place.line and spot.column <= place.column and "?" not in path
    ]
    return max(before)[1] if before else ""


def _nearest(name: str, fields: list[str]) -> str | None:
    around = [each for each in fields if name == each or name.startswith(f"{each}.")]
    return max(around, key=len, default=None)


def _told(fault: Fault) -> Title:
    """A fault without its place, which is the field that it stands at."""
    zh = in_chinese(fault.message) or fault.message
    right = in_chinese(fault.hint) or fault.hint
    return Title(
        f"{zh};应为:{right}" if right else zh,
        f"{fault.message}; right: {fault.hint}" if fault.hint else fault.message,
    )


def _outcome(text: str) -> Title:
    """What an example expects or got."""
    zh = text
    for english, chinese in _OUTCOMES:
        zh = re.sub(rf"\b{english}\b", chinese, zh)
    return Title(zh.replace(", ", ","), text)


def _rule(pack: Pack, data: Any, part: str) -> Any:
    entry = standing_at(data, forms.path_of(part))
    named = entry.get("id") if isinstance(entry, dict) else None
    return next((rule for rule in pack.rules if rule.id == str(named) and not rule.table), None)


def _source(data: Any, text: str, part: str) -> Iterator[tuple[int, str]]:
    """The lines of the part that is open, by their numbers."""
    entries = {forms.HEAD: ("version", "in_force"), forms.GRADES: ("score", "grades"), forms.TEXT: ()}
    paths = [(name,) for name in entries[part]] if part in entries else [forms.path_of(part)]
    lines = text.split("\n")
    for path in paths:
        if standing_at(data, path) is not None:
            first, last = lines_of(text, path)
            yield from enumerate(lines[first - 1 : last], first)
