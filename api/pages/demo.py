"""Signing in by a pass, where a demo has started the server (:mod:`scoring.access.passes`)."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from api.around import session
from api.around.context import clock, settings, store
from api.http.problems import fail
from api.pages.blueprint import blueprint
from rules.model import Title
from scoring.access.keys import get_key
from scoring.access.passes import key_of_pass


@blueprint.get("/demo/sign-in")
def demo_sign_in() -> Response:
    """Let the bearer of a pass in as the person it names. It stands in the query, which no log has."""
    secret = settings().demo_secret
    if secret is None:
        raise NotFound
    prefix = key_of_pass(secret, request.args.get("pass", ""), clock()())
    if prefix is None or (key := get_key(store(), prefix)).state != "active":
        fail("not-found", _OVER)
    session.begin(key)
    return redirect(url_for("pages.front"), 303)


_OVER = Title(
    "此登录地址无效或已过期，请重新启动样例",
    "this address signs nobody in, or no longer: start the demo again",
)
