"""Files of offices by button: looked at first, then taken as they were seen, listed, and taken back.

A file is looked at and taken within a request: a job of its own would need a queue of its own, and what a
clerk sends is small. So it is bounded (:data:`MOST_ROWS`, the largest request); what is larger goes by
command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any

from flask import redirect, request, send_file, url_for
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import clock, store
from api.http.fields import Text
from api.http.problems import fail
from api.pages.blueprint import blueprint, most_bytes, most_mib, page, too_large
from api.pages.forms import FormError, filled_in, number
from api.resources.runs import NUMBER
from rules.library.loader import load_vocabulary, vocabulary_names
from rules.model import Title
from scoring.access.audit import Entry, append, entries_of
from scoring.access.keys import owners_of
from scoring.facts.bodies import register
from scoring.facts.ingest.errors import AccountError, IngestError
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.ingest.headers import TITLES
from scoring.facts.ingest.mapping import Dataset
from scoring.facts.ingest.quarantine import MEND, account_of, write_quarantine
from scoring.facts.ingest.templates import templates, write_named_template
from scoring.facts.ingest.uploads import KEPT_HOURS, Upload, Uploads, uploads_of
from scoring.facts.merging import ColumnChanges
from scoring.facts.noted import Level, noted_rows
from scoring.facts.orphans import orphans_of_file
from scoring.facts.undo import File, Undone, list_files, rows_of, undo_file
from scoring.facts.versions import IngestResult
from scoring.facts.visit_results import VOCABULARY as RESULTS

MOST_ROWS = 50_000
"""Of a file that is taken by button (own choice): some seconds of a processor, while others wait to write."""

ROWS = 50
NOTED = 20
"""So many of the rows that were set aside are shown; the quarantine file has all."""

TAKE, UNDO = "files.take", "files.undo"
"""What a taking and an undoing are called in the audit log, which says whose they were."""

MOST_OWN = 1_000
"""So many of its files an office sees."""

_COUNTS = ("new", "changed", "unchanged", "rejected")
_PREVIEWED = re.compile(r"\d{1,9}(-\d{1,9}){3}")


class UndoForm(Schema):
    """Why a file is taken back."""

    reason = Text(longest=2000, required=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken in, or an undoing.

    :param entry: of the audit log; None where it was taken by command.
    :param owner: who holds the key that took it.
    """

    file: File
    entry: Entry | None
    owner: str

    @property
    def told(self) -> Mapping[str, Any]:
        """What the log has of it: the numbers of its rows, or why it was taken back."""
        return self.entry.details if self.entry else {}

    @property
    def stays(self) -> Title | None:
        """Why it can't be taken back by button; None where it can."""
        if self.file.vocabulary == RESULTS:
            zh, en = (
                "检查结果不能撤回,请对记录提出异议",
                "results of visits stay: object to the records instead",
            )
            return Title(zh, en)
        if rows_of(store(), self.file) > MOST_ROWS:
            zh = f"超过{MOST_ROWS:,}行的文件,请系统管理员用命令行撤回"
            return Title(zh, f"of more than {MOST_ROWS:,} rows: have the operator take it back by command")
        return None


@blueprint.get("/files")
def files() -> Response:
    """Choose a file; and the files that were taken, the newest first."""
    _uploads().clear()
    return _files(200)


@blueprint.post("/files")
def upload_file() -> Response:
    """Keep a file to be looked at; nothing of it is taken yet."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return _files(422, [Title("请选择文件", "choose a file")])
    digest = _uploads().keep(given.read(), given.filename)
    journal.detail(digest=digest)
    how = _how(request.form)
    place = url_for("pages.upload", digest=digest, vocabulary=how.get("vocabulary"), table=how.get("table"))
    return redirect(place, 303)


@blueprint.get("/files/uploads/<digest>")
def upload(digest: str) -> Response:
    """What a file would change, as things stand now; nothing is changed."""
    found = _uploads().find(digest)
    if (file_id := _taken_as(found)) is not None:
        return redirect(url_for("pages.file", file_id=file_id), 303)
    return _upload(digest, found, 200)


@blueprint.post("/files/uploads/<digest>")
def take_upload(digest: str) -> Response:
    """Take the file that was looked at; a second time nothing is done anew."""
    with _uploads().turn(digest) as found:
        if (file_id := _taken_as(found)) is not None:
            if found.file_id is None:
                found.end(file_id)
            return redirect(url_for("pages.file", file_id=file_id), 303)
        try:
            report = ingest_file(store(), found.path, *_reading(request.form, found.nonce))
        except AccountError as error:  # what came back is in the store; its page says what there is of it
            found.end(error.file_id)
            return redirect(url_for("pages.file", file_id=error.file_id), 303)
        except IngestError as error:
            return _upload(digest, found, 422, error)
        assert report.file_id is not None, "a file that is taken has a number"
        found.end(report.file_id)
    journal.detail(file=report.file_id)
    seen = request.form.get("previewed", "")
    is_otherwise = _PREVIEWED.fullmatch(seen) and seen != _counts(report)
    return redirect(
        url_for("pages.file", file_id=report.file_id, previewed=seen if is_otherwise else None), 303
    )


@blueprint.post("/files/uploads/<digest>/end")
def drop_upload(digest: str) -> Response:
    """Give a file up that was looked at."""
    _uploads().drop(digest)
    return redirect(url_for("pages.files"), 303)


@blueprint.get("/files/templates/<vocabulary>/<name>.xlsx")
def file_template(vocabulary: str, name: str) -> Response:
    """An empty workbook to fill in."""
    offered = {(words, table): title for words, table, title in templates(own_data() is not None)}
    title = offered.get((vocabulary, name))
    if title is None:
        fail("not-found", Title(f"没有模板{name}", f"there is no template {name}"))
    stream = BytesIO()
    write_named_template(vocabulary, name, stream)
    stream.seek(0)
    return send_file(stream, as_attachment=True, download_name=f"模板 {title.zh}.xlsx")


@blueprint.get(f"/files/{NUMBER}file_id>")
def file(file_id: int) -> Response:
    """What became of a file: its numbers, what was set aside, what comes back, and how it is taken back."""
    return _file(_taken(file_id), 200)


@blueprint.post(f"/files/{NUMBER}file_id>/undo")
def undo_taken(file_id: int) -> Response:
    """Take a file back; a second time nothing is done anew."""
    found = _taken(file_id)
    if found.stays is not None:
        return _file(found, 409, [found.stays])
    try:
        reason = filled_in(UndoForm)["reason"]
    except FormError as error:
        return _file(found, 422, error.messages)

    def log(session: Session, done: Undone) -> None:
        _note(session, UNDO, done.file_id, reason=reason, restored=done.restored, ended=done.ended,
              left=list(done.left[:NOTED]), stays=len(done.left))  # fmt: skip

    done = undo_file(store(), file_id, caller().prefix, log)
    return redirect(url_for("pages.file", file_id=done.file_id or file_id), 303)


@blueprint.get(f"/files/{NUMBER}file_id>/quarantine.csv")
def file_quarantine(file_id: int) -> Response:
    """Every row that was set aside, with its reasons."""
    return _account(file_id, "error")


@blueprint.get(f"/files/{NUMBER}file_id>/warnings.csv")
def file_warnings(file_id: int) -> Response:
    """Every row that was taken although something about it is odd."""
    return _account(file_id, "warning")


@blueprint.get(f"/files/{NUMBER}file_id>/mend.xlsx")
def file_to_mend(file_id: int) -> Response:
    """The rows that were set aside as they stood, to mend and to hand in again."""
    _taken(file_id)
    path = account_of(store(), file_id, _uploads().accounts, MEND)
    if not path.exists():
        zh = f"待改工作簿只保留{KEPT_HOURS}小时:请再次报送原文件"
        en = f"the workbook to mend is kept for {KEPT_HOURS} hours: hand the file in again"
        fail("not-found", Title(zh, en))
    return send_file(path, as_attachment=True, download_name=path.name)


def _uploads() -> Uploads:
    """The files of this office that wait; the credit centre is one."""
    return uploads_of(store(), own_data() or "")


def _how(given: Mapping[str, str]) -> dict[str, str]:
    """What was said of how a file is read; what is not said is left to its headers."""
    names, tables = vocabulary_names(), list(TITLES)
    return {
        name: text
        for name, among in (("vocabulary", names), ("table", tables))
        if (text := given.get(name, "")) in among
    }


def _taken_as(found: Upload) -> int | None:
    """The file as which it was taken, by its own note or by the log's: who took it may have been killed
    before the note; None where it waits."""
    if found.file_id is not None or not found.nonce:
        return found.file_id
    logged = entries_of(store(), (TAKE,), "upload", [found.nonce], 1)
    return int(logged[0].details["file"]) if logged else None


def _reading(given: Mapping[str, str], nonce: str | None = None) -> tuple[str | None, Reading]:
    """How a file is read.

    :param nonce: of the upload that is taken; None: it is only looked at.
    """
    how = _how(given)
    table: Dataset | None = how.get("table")  # type: ignore[assignment]  # one of the two, or none
    reading = Reading(
        dataset=table,
        quarantine=_uploads().accounts,
        check=nonce is None,
        by=caller().prefix,
        authority=own_data(),
        most_rows=MOST_ROWS,
        log=partial(_note_taking, nonce),
    )
    return how.get("vocabulary"), reading


def _note_taking(nonce: str | None, session: Session, result: IngestResult) -> None:
    counts = {name: getattr(result, name) for name in (*_COUNTS, "warned", "held")}
    _note(session, TAKE, result.file_id, upload=nonce, **counts)


def _note(session: Session, action: str, file_id: int | None, **details: object) -> None:
    """Log who did what with a file in the transaction that does it."""
    event = who().event(action, None, clock()(), file=str(file_id), office=own_data(), **details)
    append(session, [event])


def _counts(report: FileReport) -> str:
    return "-".join(str(getattr(report, name)) for name in _COUNTS)


def _files(status: int, refused: Sequence[Title] = ()) -> Response:
    shown = _list(number("before"), ROWS + 1)
    return page(
        "files",
        status,
        files=shown[:ROWS],
        before=shown[ROWS - 1].file.id if len(shown) > ROWS else None,
        waiting=_uploads().waiting(),
        vocabularies={name: _title(name) for name in vocabulary_names()},
        title_of=_title,
        tables=TITLES,
        templates=list(templates(own_data() is not None)),
        is_office=own_data() is not None,
        most_rows=MOST_ROWS,
        most_bytes=most_bytes(),
        most_mib=most_mib(),
        too_large=too_large(),
        kept_hours=KEPT_HOURS,
        refused=refused,
    )


def _upload(digest: str, found: Upload, status: int, error: IngestError | None = None) -> Response:
    """What a file would change, or why nothing of it can be taken."""
    given = request.values
    report = None
    try:
        if error is None:
            report = ingest_file(store(), found.path, *_reading(given))
    except IngestError as failure:
        error = failure
    return page(
        "upload",
        status,
        digest=digest,
        name=found.path.name,
        report=report,
        error=error,
        how=_how(given),
        previewed=_counts(report) if report else "",
        noted=report.noted[:NOTED] if report else (),
        absent=_titles(report, report.absent) if report else (),
        changes=_changes(report) if report else (),
        title_of=_title,
        tables=TITLES,
        kept_hours=KEPT_HOURS,
    )


def _changes(report: FileReport) -> list[tuple[Title, ColumnChanges]]:
    """What a file would set, change or clear of what is known, by the titles of columns."""
    changed = {name: of for name, of in report.columns.items() if of.set or of.changed or of.cleared}
    return list(zip(_titles(report, changed), changed.values(), strict=True))


def _titles(report: FileReport, names: Iterable[str]) -> list[Title]:
    """What columns of the file's table are called."""
    words = load_vocabulary(report.vocabulary)
    table = words.records if report.dataset == "record" else words.subject
    assert table is not None, "the file was read by it"
    return [table.columns[name].title for name in names]


def _list(before: int | None = None, limit: int | None = None, only: int | None = None) -> list[Taken]:
    """Files and undoings with who did it; an office has those that its own keys took, and their undoings.

    :param only: the file of this number alone.
    """
    numbers = None if only is None else [only]
    if (own := own_data()) is not None:
        with store().reading() as session:
            names = sorted(register(session).names(own) | {own})
        logged = entries_of(store(), (TAKE, UNDO), "office", names, MOST_OWN)
        numbers = [int(entry.details["file"]) for entry in logged]
    found = list_files(store(), limit=limit, before=before, only=numbers)
    found = [one for one in found if only in (None, one.id)]
    logged = entries_of(store(), (TAKE, UNDO), "file", [str(one.id) for one in found], len(found))
    entries = {int(entry.details["file"]): entry for entry in logged}
    owners = owners_of(store(), {entry.actor for entry in entries.values()})
    return [
        Taken(one, entry, owners.get(entry.actor, entry.actor) if entry else "")
        for one in found
        for entry in [entries.get(one.id)]
    ]


def _taken(file_id: int) -> Taken:
    """A file that this office may see; 404 where there is none."""
    found = _list(only=file_id)
    if not found:
        fail("not-found", Title(f"没有文件{file_id}", f"there is no file {file_id}"))
    return found[0]


def _file(found: Taken, status: int, refused: Sequence[Title] = ()) -> Response:
    with store().reading() as session:
        noted = list(islice(noted_rows(session, found.file.id, "error"), NOTED))
        odd = list(islice(noted_rows(session, found.file.id, "warning"), NOTED))
        orphans = orphans_of_file(session, found.file.vocabulary, found.file.id)
    seen = request.args.get("previewed", "")
    mend = account_of(store(), found.file.id, _uploads().accounts, MEND)
    return page(
        "file",
        status,
        found=found,
        noted=noted,
        title_of=_title,
        odd=odd,
        orphans=orphans,
        has_mend=mend.exists(),
        previewed=tuple(map(int, seen.split("-"))) if _PREVIEWED.fullmatch(seen) else None,
        tables=TITLES,
        kept_hours=KEPT_HOURS,
        given=request.form,
        refused=refused,
    )


def _account(file_id: int, level: Level) -> Response:
    _taken(file_id)
    path = write_quarantine(store(), file_id, _uploads().accounts, level)
    return send_file(path, as_attachment=True, download_name=path.name)


def _title(vocabulary: str) -> Title:
    """What a vocabulary is called; of a pack's own its name."""
    is_shared = vocabulary in vocabulary_names()
    return load_vocabulary(vocabulary).title if is_shared else Title(vocabulary, vocabulary)
