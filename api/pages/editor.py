"""The editor: a draft of a version as forms, with its faults and what its examples give as one types.

Nothing is kept here: the draft travels with its form, and becomes a version by being proposed
(:mod:`api.pages.drafts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from api.around.context import packs_called, store
from api.http.problems import fail
from api.pages import editor_parts as forms
from api.pages.blueprint import blueprint, page
from api.pages.drafts import show_draft
from api.pages.editor_acts import added_from, data_of, done
from api.pages.editor_fields import Form, applied, path_of
from api.pages.forms import posted_number
from api.pages.simulation import DRAFT, decoded
from api.pages.trials import show_trial_of
from rules.calendar import today
from rules.chinese import in_chinese
from rules.fault import Fault, PackError, Place
from rules.model import Pack, Rule, Title
from rules.text.source import Document, field_name, read, standing_at
from rules.tools.edit import lines_of
from rules.tools.lint import Severity
from scoring.answers.examples import ExampleResult
from scoring.characters.visible import one_line
from scoring.facts.ingest.errors import IngestError
from scoring.rulemaking import desk
from scoring.rulemaking.draft import Draft, examine
from scoring.store.packs import stored_text
from scoring.store.rulebook import known_text

LARGEST = 512 * 1024
"""Bytes of a draft that is edited here (own choice): five times the largest pack of the library."""


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

    def elsewhere(self, fields: list[str]) -> dict[str, list[Title]]:
        """The errors of none of the fields, by the part that shows them."""
        return _by_part(self.errors, fields)

    def noted(self, fields: list[str]) -> dict[str, list[Title]]:
        """What is worth knowing of none of the fields, by the part that shows it."""
        return _by_part(self.notes, fields)


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
    return _answered(pack_id)


@blueprint.post("/rules/<pack_id>/edit/draft")
def end_editing(pack_id: str) -> Response:
    """What the draft changes and who would move by it, to be proposed; the editor where it has faults."""
    return _answered(pack_id, show_draft)


@blueprint.post("/rules/<pack_id>/edit/trial")
def try_draft(pack_id: str) -> Response:
    """The form that puts the draft on trial, filled in with it; the editor where it has faults."""
    return _answered(pack_id, show_trial_of)


@blueprint.post("/rules/<pack_id>/edit/file")
def edit_from_file(pack_id: str) -> Response:
    """Begin from a file: a YAML draft stands for the text; tables of another notation come into it."""
    text, part = _plain(request.form.get("text", "")), request.form.get("part", forms.HEAD)
    known, file = posted_number("known"), request.files.get("file")
    _require_size(text)
    if file is None or not file.filename:
        return _edited(pack_id, text, part, known, [("", Title("没有选择文件", "no file was chosen"))])
    content, name = file.read(), one_line(file.filename)
    try:
        text = _filled_in(text, part)
        if name.lower().endswith((".yaml", ".yml")):
            given, left = _own(pack_id, _plain(decoded(content))), list[Title]()
        else:
            given, left = added_from(text, content, name)
    except IngestError as error:
        return _edited(pack_id, text, part, known, [("", _said_right(error.reason, error.hint))])
    except PackError as error:
        return _edited(pack_id, text, part, known, [("", fault.title) for fault in error.faults])
    _require_size(given)
    return _edited(pack_id, given, part, known, [("", title) for title in left])


def _own(pack_id: str, text: str) -> str:
    """A text of this pack.

    :raises PackError: where it is another's.
    """
    written = data_of(text).get("pack")
    if written != pack_id:
        document = read(text, DRAFT)
        raise PackError([document.fault(("pack",), str(written), "a draft of another pack", pack_id)])
    return text


def _answered(pack_id: str, ends: Callable[[Draft, int], Response] | None = None) -> Response:
    """The draft with what was filled in and done.

    :param ends: shows what becomes of a draft without faults, of which the last proposal that its author
        knew is given; None: it is edited on.
    """
    text, part = _plain(request.form.get("text", "")), request.form.get("part", forms.HEAD)
    known = posted_number("known")
    _require_size(text)
    try:
        text = _filled_in(text, part)
        text, part, focus = done(text, request.form.get("open") or part, request.form.get("do", ""))
    except PackError as error:
        return _edited(pack_id, text, part, known, _listed(error))
    _require_size(text)
    if ends is not None and (draft := _said_of(text).draft) is not None:
        return ends(draft, known)
    return _edited(pack_id, text, part, known, focus=focus)


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
    form = forms.form_of(data_of(text), part)
    return applied(text, DRAFT, form, request.form)


def _edited(
    pack_id: str,
    text: str,
    part: str,
    known: int,
    refused: Sequence[tuple[str, Title]] = (),
    focus: str = "",
) -> Response:
    try:
        data = data_of(text)
    except PackError as error:
        data, part = {}, forms.TEXT
        refused = _listed(error)
    said = _said_of(text) if data else _Said()
    said.errors[:0] = refused
    form = forms.form_of(data, part) if part != forms.TEXT else None
    groups = forms.parts_of(data)
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
        groups=groups,
        called={name: title for group in groups for name, title in group.parts},
        said=said,
        names=names,
        rules=_rules(said.draft.pack, data, part) if said.draft else [],
        focus=_focused(form, focus),
        source=_source(data, text, part),
        part_of=forms.part_around,
        action=url_for("pages.edit", pack_id=pack_id),
    )


def _said_of(text: str) -> _Said:
    said = _Said()
    document = read(text, DRAFT)
    try:
        said.draft = examine(store(), text, DRAFT, None, today())
    except PackError as error:
        said.errors = _listed(error)
        return said
    said.errors = [(refusal.field, refusal.title) for refusal in said.draft.refusals]
    for found in said.draft.findings:
        is_error = found.severity is Severity.ERROR
        path = _at(document, found.place)
        title = _in_line(path, found.place, found.told)
        (said.errors if is_error else said.notes).append((path, title))
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


def _in_line(path: str, place: Place, said: Title) -> Title:
    """What is said of the text itself, with its line: no field shows where it is."""
    if forms.part_around(path) != forms.TEXT:
        return said
    return Title(f"第{place.line}行:{said.zh}", f"line {place.line}: {said.en}")


def _by_part(said: Sequence[tuple[str, Title]], fields: list[str]) -> dict[str, list[Title]]:
    parts: dict[str, list[Title]] = {}
    for path, title in said:
        if not _nearest(path, fields):
            parts.setdefault(forms.part_around(path), []).append(title)
    return parts


def _nearest(name: str, fields: list[str]) -> str | None:
    around = [each for each in fields if name == each or name.startswith(f"{each}.")]
    return max(around, key=len, default=None)


def _told(fault: Fault) -> Title:
    """A fault without its place, which is the field that it stands at."""
    message, hint = (Title(in_chinese(said) or said, said) for said in (fault.message, fault.hint))
    return _said_right(message, hint) if fault.hint else message


def _said_right(wrong: Title, right: Title) -> Title:
    return Title(f"{wrong.zh};应为:{right.zh}", f"{wrong.en}; right: {right.en}")


def _listed(error: PackError) -> list[tuple[str, Title]]:
    """Each fault, with the path that it stands at."""
    return [
        (name, _in_line(name, fault.place, _told(fault)))
        for fault in error.faults
        for name in (_name(fault.field),)
    ]


def _rules(pack: Pack, data: Any, part: str) -> list[Rule]:
    """The rule that is open, or the rows of the table that is."""
    entry = standing_at(data, path_of(part))
    named = str(entry.get("id")) if isinstance(entry, dict) else None
    is_table = part.startswith("tables.")
    return [rule for rule in pack.rules if named == (rule.table if is_table else rule.id)]


def _focused(form: Form | None, path: str) -> str:
    """The button or field that has the focus: of a row its first field."""
    rows = (row for grid in (form.grids if form else ()) for row in grid.rows)
    return next((row.cells[0].name for row in rows if row.path == path and row.cells and row.cells[0]), path)


def _source(data: Any, text: str, part: str) -> Iterator[tuple[int, str]]:
    """The lines of the part that is open, by their numbers."""
    entries = {
        forms.HEAD: ("version", "in_force"),
        forms.GRADES: ("score", "grades"),
        forms.DIMENSIONS: ("dimensions",),
        forms.TEXT: (),
    }
    paths = [(name,) for name in entries[part]] if part in entries else [path_of(part)]
    lines = text.split("\n")
    for path in paths:
        if standing_at(data, path) is not None:
            first, last = lines_of(text, path)
            yield from enumerate(lines[first - 1 : last], first)
