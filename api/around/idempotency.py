"""Idempotency-Key: a request that comes again with its key gets the same answer; nothing is done again.

A form of a page has a number in its place, and what it says belongs to it: pressed twice it is one request,
filled in otherwise another. Its second press waits for the first, for a browser shows the last answer alone.
Where something new comes of a form, and the same was sent in another one (a second tab, or back and again),
who sends it is asked.

The key is claimed before anything is done. While its attempt is under way, others get 409. Each change that
the attempt makes notes in its own transaction that it was made, and is only kept while the attempt holds the
claim. So what a worker that was killed leaves behind says which of two it was: nothing was changed, and after
:data:`CLAIMED` the same request may be tried again; or something was, and the request is never done again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import time
from functools import partial

import sqlalchemy as sa
from flask import Flask, Response, current_app
from sqlalchemy.orm import Session

from api.around import journal, observe
from api.around.auth import PAGES, caller, require_key
from api.around.claim import Claim
from api.around.context import store
from api.around.request import Request, current
from api.around.session import FORM_TOKEN, form_number, is_meant_again
from api.http.problems import MEDIA_TYPE, Problem, fail
from rules.calendar import SHANGHAI
from rules.model import Title
from scoring.access.keys import first_of_line
from scoring.store import StoreError, accompany_changes
from scoring.store.access import KeptAnswer
from scoring.store.base import insert_new

HEADER = "Idempotency-Key"
KEPT = dt.timedelta(days=7)
CLAIMED = dt.timedelta(minutes=2)
"""For how long an attempt that has changed nothing keeps another one of the same request waiting."""
PATIENCE, _PAUSE = 20.0, 0.05
"""Seconds: for so long a second press of a form waits for the first."""

PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
    "description": (
        f"Chosen by the client; for {KEPT.days} days the same request gets the same answer. 409 for another "
        "request, while the first one is under way, and where the answer to what was done was lost."
    ),
}
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def install(app: Flask) -> None:
    """Keep the answers of the endpoints that the table of access marks so, where a client sends a key."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> Response | None:
    """The kept answer, if the request was answered before; else it is claimed."""
    request = current()
    asked = _asked(request)
    if asked is None:
        return None
    key, digest = asked
    claim = Claim(first_of_line(store(), caller()), key, secrets.token_hex(16))
    found = _taken(claim, digest) if _is_form(request) else _take(claim, digest, dt.datetime.now(dt.UTC))
    if found is not None:
        return _again(found, request, digest)
    if _was_sent_alike(request, claim, digest):
        return None
    request.claim = claim
    accompany_changes(require_key, partial(_note, claim))
    return None


def _was_sent_alike(request: Request, claim: Claim, digest: str) -> bool:
    """Whether this person has sent the same in another form, and is to be asked: the claim is let go then."""
    number = form_number() if request.access.makes and _is_form(request) else None
    if number is None or is_meant_again(number):
        return False
    now = dt.datetime.now(dt.UTC)
    with store().writing() as session:
        others = session.scalars(
            sa.select(KeptAnswer)
            .where(KeptAnswer.api_key == claim.owner, KeptAnswer.request_hash == digest)
            .where(KeptAnswer.idempotency_key != claim.key)
            .order_by(KeptAnswer.kept_at.desc())
        )
        earlier = next((one for one in others if _is_done(one) or _is_under_way(one, now)), None)
        if earlier is None:
            return False
        session.expunge(earlier)
        claim.release(session)
    at = f"{earlier.kept_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    zh = f"同样的内容已于{at}提交过,未重复办理:确需另办一件的,请再次提交"
    request.unsent = Title(
        zh, f"the same was sent at {at}, and is not done again: send it again if it is another"
    )
    request.earlier = earlier
    return True


def _is_done(row: KeptAnswer) -> bool:
    return row.changed_at is not None and (row.status is None or row.status < 400)


def _end(response: Response) -> Response:
    """Keep the answer with what was done; let the key be used again where nothing was."""
    claim = current().claim
    accompany_changes()
    if claim is None:
        return response
    try:
        with store().writing() as session:
            is_free = response.status_code >= 400 and claim.release(session)
            if not is_free and response.status_code < 500:
                claim.answer(session, response, journal.told(), _may_be_told_again(current(), response))
    except StoreError as error:
        observe.log_failure(error)  # the request was answered; the claim says whether something was changed
    return response


def _note(claim: Claim, session: Session) -> None:
    if not claim.note_change(session):
        zh = f"处理过久,另一个{HEADER}为{claim.key}的请求已接手"
        en = f"this took so long that another request with the {HEADER} {claim.key} took over"
        fail("conflict", Title(zh, en))


def _take(claim: Claim, digest: str, now: dt.datetime) -> KeptAnswer | None:
    """Take the claim; where another request has it, what is kept of that one."""
    with store().writing() as session:
        session.execute(sa.delete(KeptAnswer).where(KeptAnswer.kept_at < now - KEPT))
        insert_new(
            session,
            KeptAnswer,
            api_key=claim.owner,
            idempotency_key=claim.key,
            request_hash=digest,
            claim=claim.token,
            kept_at=now,
        )
        row = session.get(KeptAnswer, (claim.owner, claim.key), with_for_update=True)
        if row is None:  # it was let go just now
            raise _under_way(claim.key)
        if row.claim == claim.token:
            return None
        is_left = row.status is None and row.changed_at is None and not _is_under_way(row, now)
        if is_left and row.request_hash == digest:
            row.claim, row.kept_at = claim.token, now
            return None
    return row


def _taken(claim: Claim, digest: str) -> KeptAnswer | None:
    """As :func:`_take`, once no other press of the same form is under way, or after :data:`PATIENCE`."""
    until = time.monotonic() + PATIENCE
    while True:
        now, is_last = dt.datetime.now(dt.UTC), time.monotonic() > until
        try:
            found = _take(claim, digest, now)
            if is_last or found is None or found.status is not None or not _is_under_way(found, now):
                return found
        except Problem:  # another press let it go just now
            if is_last:
                raise
        time.sleep(_PAUSE)


def _again(kept: KeptAnswer, request: Request, digest: str) -> Response:
    if kept.request_hash != digest:
        zh = f"{HEADER} {kept.idempotency_key}已用于另一个请求"
        fail("conflict", Title(zh, f"the {HEADER} {kept.idempotency_key} was used for another request"))
    if kept.status is None or kept.body is None:
        raise _sent_before() if _is_form(request) else _unanswered(kept)
    journal.tell_again(kept.logged)
    kind = "text/html" if _is_form(request) else "application/json" if kept.status < 400 else MEDIA_TYPE
    response = current_app.response_class(kept.body, kept.status, mimetype=kind)
    if kept.location:
        response.headers["Location"] = kept.location
    return response


def _unanswered(kept: KeptAnswer) -> Problem:
    if kept.changed_at is None or _is_under_way(kept, dt.datetime.now(dt.UTC)):
        return _under_way(kept.idempotency_key)
    at = kept.changed_at.isoformat(timespec="seconds")
    zh = (
        f"{HEADER}为{kept.idempotency_key}的请求已于{at}改动数据,但其答复丢失,不再重做:"
        f"请查看已做了什么,缺少的可换一个{HEADER}再发"
    )
    en = (
        f"the request with the {HEADER} {kept.idempotency_key} changed something at {at}, but its answer"
        " was lost. It is not done again: look up what was done; what is missing can be sent with another"
        f" {HEADER}"
    )
    return Problem("conflict", Title(zh, en))


def _sent_before() -> Problem:
    zh = "此表单已提交过,不再重复办理:请返回查看办理结果"
    return Problem(
        "conflict", Title(zh, "this form was sent before, and is not done again: see what came of it")
    )


def _under_way(key: str) -> Problem:
    en = f"the request with the {HEADER} {key} is under way; ask again"
    detail = Title(f"{HEADER}为{key}的请求正在处理,请稍后再问", en)
    return Problem("conflict", detail, headers={"Retry-After": "2"})


def _is_under_way(row: KeptAnswer, now: dt.datetime) -> bool:
    """By a clock that may have been set back: a claim from the future is none."""
    return abs(now - row.kept_at) < CLAIMED


def _asked(request: Request) -> tuple[str, str] | None:
    """The key of a request that is to be taken once, and the digest of what it says; None for others."""
    if request.method != "POST" or not request.access.kept:
        return None
    if _is_form(request):
        if (number := form_number()) is None:
            return None
        digest = _request_hash(request)
        return f"form:{number}:{digest[:32]}", digest
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        zh = f"{HEADER}应为1至100个字母、数字和 . _ : -"
        fail("bad-request", Title(zh, f"an {HEADER} is 1 to 100 letters, digits and . _ : -"))
    return given, _request_hash(request)


def _is_form(request: Request) -> bool:
    return request.blueprint == PAGES


def _may_be_told_again(request: Request, response: Response) -> bool:
    """Whether an answer may be told again: of a form where it leads on. A page may show a secret, once."""
    return not _is_form(request) or response.location is not None


def _request_hash(request: Request) -> str:
    said = _filled_in(request) if _is_form(request) else request.get_data()
    return hashlib.sha256(request.full_path.encode() + b"\0" + said).hexdigest()


def _filled_in(request: Request) -> bytes:
    """What a form says, and the bytes of its files."""
    said = [item for item in request.form.items(multi=True) if item[0] != FORM_TOKEN]
    for name, file in request.files.items(multi=True):
        said.append((name, hashlib.sha256(file.stream.read()).hexdigest()))
        file.stream.seek(0)
    return repr(said).encode()
