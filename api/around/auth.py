"""Who asks: the key of a request, and whether its role opens the endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from api.around.context import settings, store
from api.around.request import Request, current
from api.around.session import signed_in
from api.http.problems import Problem, fail
from rules.model import Title
from scoring.access.keys import ROLE_TITLES, Key, KeyRefusedError, KeyRing, Role, Who, refuse_change
from scoring.store import accompany_changes

Part = TypeVar("Part")

PAGES = "pages"
"""The blueprint whose visitors sign in; everybody else sends a key with each request."""


def install(app: Flask, ring: KeyRing) -> None:
    """Have every request checked before its view runs."""
    app.extensions["key_ring"] = ring
    app.before_request(check_access)
    app.teardown_request(lambda _: accompany_changes())


def check_access() -> None:
    """Let a request pass, or answer 401 or 403; 404 where the district has no pages for everybody."""
    request = current()
    if request.access.is_public and not settings().public:
        raise NotFound
    endpoint, roles = request.endpoint, request.access.roles
    if endpoint is None or roles is None:  # without an endpoint 404 or 405 follow
        return
    accompany_changes(require_key, _require_sent)
    key = request.key = signed_in() if endpoint.startswith(f"{PAGES}.") else authenticate(_token(request))
    if key.role not in roles:
        en = f"a key of the role {key.role} does not open {request.method} {request.path}"
        fail("forbidden", Title(f"{ROLE_TITLES[key.role].zh}的密钥无权打开{request.path}", en))


def require_key(session: Session) -> None:
    """Have no change kept of a caller whose key has ended meanwhile, as :func:`accompany_changes` asks.

    :raises Problem: 401.
    """
    key = current().key
    try:
        if key is not None:
            refuse_change(session, key)
    except KeyRefusedError as error:
        raise _unauthenticated(error.title) from None


def _require_sent(_: Session) -> None:
    """Have no change kept of a form that is to be shown again, whatever its page makes of it."""
    if (why := current().unsent) is not None:
        fail("bad-request", why)


def authenticate(token: str) -> Key:
    """The key of a token; also for pages, which get it from their sign-in.

    :raises Problem: 401 where it opens nothing.
    """
    ring: KeyRing = current_app.extensions["key_ring"]
    try:
        return ring.authenticate(token)
    except KeyRefusedError as error:
        raise _unauthenticated(error.title) from None


def caller() -> Key:
    """The key of this request."""
    key = current().key
    assert key is not None, "only endpoints that ask for a key have a caller"
    return key


def who() -> Who:
    """The caller, for what is done and logged in one transaction."""
    key = caller()
    return Who(key.prefix, key.role, key.organisation, current().request_id)


def while_it_works(parts: Iterable[Part]) -> Iterator[Part]:
    """What goes out bit by bit, as long as the caller's key works: before each bit it is looked up. An
    answer that is made before it goes out needs none of this: it is logged, and that asks for the key.

    :raises Problem: 401; of an answer that is under way its reader learns by its breaking off.
    """
    for part in parts:
        with store().reading() as session:
            require_key(session)
        yield part


def own_data() -> str | None:
    """The department whose data alone the caller may touch; None for all others."""
    key = caller()
    return key.organisation if key.role is Role.DEPARTMENT else None


def is_regulator() -> bool:
    """Whether the caller may see everything."""
    return caller().role is Role.REGULATOR


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        header = "Authorization: Bearer xh_…"
        raise _unauthenticated(Title(f"请在请求头中写明{header}", f"send the header {header}"))
    return token.strip()


def _unauthenticated(detail: Title) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="xinheng"'})
