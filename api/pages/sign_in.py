"""Signing in and out, and choosing a language."""

from __future__ import annotations

from flask import current_app, redirect, request, url_for
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RoutingException
from werkzeug.wrappers import Response

from api.around import session
from api.around.auth import authenticate
from api.pages import language
from api.pages.blueprint import blueprint, page

_YEAR_SECONDS = 365 * 24 * 3600


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """Ask for a key, and let its bearer in."""
    if request.method != "POST":
        return page("sign_in", refused=None, next=request.args.get("next", ""))
    session.begin(authenticate(request.form.get("key", "").strip()))
    return redirect(local(request.form.get("next", "")), 303)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    session.end()
    return redirect(url_for("pages.sign_in"), 303)


@blueprint.get("/language/<name>")
def choose_language(name: str) -> Response:
    """Show the pages in another language from now on."""
    answer = redirect(local(request.args.get("next", "")), 303)
    if name in language.LANGUAGES:
        answer.set_cookie(
            language.COOKIE, name, _YEAR_SECONDS, secure=request.is_secure, httponly=True, samesite="Strict"
        )
    return answer


def local(address: str) -> str:
    """An address of this server that can be opened; the front page in place of any other."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return _opened(address) if is_local else url_for("pages.front")


def _opened(address: str) -> str:
    """An address that can be opened: of one that takes forms alone the page above it."""
    path = address.partition("?")[0]
    try:
        current_app.url_map.bind("").match(path, "GET")
    except MethodNotAllowed:
        return _opened(path.rpartition("/")[0] or "/")
    except (NotFound, RoutingException):
        pass  # it says so itself, or leads on
    return address
