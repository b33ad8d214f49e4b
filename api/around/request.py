"""A request, and what becomes known of it on its way: what the hooks around a view leave for one another."""

from __future__ import annotations

import random
import re
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import RequestEntityTooLarge

from api.around.access import ACCESS, CLOSED, Access
from api.around.claim import Claim
from rules.model import Title
from scoring.access.audit import Event
from scoring.access.keys import Key
from scoring.store.access import KeptAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Request(flask.Request):
    """A request to the application.

    :ivar began: when it came, by :func:`time.perf_counter`.
    :ivar request_id: the client's own, or one made here; in the answer, the logs and the audit log.
    :ivar key: who asks, once that is checked; None where nobody needs a key.
    :ivar claim: what it holds of its idempotency key, where it sent one and is the first with it.
    :ivar unsent: why the form that it sends is shown again, filled in, and not done; None where it may be.
    :ivar earlier: what is kept of the same, where this person has sent it before in a form of its own.
    :ivar audit_subject: whom it is about, where the address does not say so.
    :ivar audit_details: what identifies it in the audit log besides its address.
    :ivar events: further entries for the audit log: those of a batch.
    """

    key: Key | None = None
    claim: Claim | None = None
    audit_subject: str | None = None
    unsent: Title | None = None
    earlier: KeptAnswer | None = None

    def __init__(self, environ: WSGIEnvironment, *options: bool) -> None:
        super().__init__(environ, *options)
        self.began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        is_right = given and _REQUEST_ID.fullmatch(given)
        self.request_id = given if is_right else f"{random.getrandbits(64):016x}"
        self.audit_details: dict[str, Any] = {}
        self.events: list[Event] = []

    def get_data(self, *args: Any, **options: Any) -> Any:
        """The body.

        :raises RequestEntityTooLarge: where it is too large. One that comes in chunks states no length, and
            Werkzeug gives what is below the limit for the whole.
        """
        data = super().get_data(*args, **options)
        limit = self.max_content_length
        if limit is not None and self.content_length is None and len(data) >= limit:
            raise RequestEntityTooLarge
        return data

    @cached_property
    def access(self) -> Access:
        """The row of its endpoint in the table of access."""
        return ACCESS.get(self.endpoint or "", CLOSED)


def current() -> Request:
    """The request under way. A hook asks once: ``flask.request`` looks it up anew at each use."""
    found: Request = flask.request._get_current_object()  # type: ignore[attr-defined]
    return found
