"""Who is signed in on the pages.

The cookie is signed and has the session's number; the session itself is in the store, where signing out ends
it, and the end of its key as well. Whoever kept the cookie has nothing then.
"""

from __future__ import annotations

import hmac
import re
import secrets

from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from api.around.context import store
from api.around.request import current
from api.http.problems import Problem, fail
from rules.model import Title
from scoring.access.keys import Key
from scoring.access.sessions import LASTS, begin_session, end_session, signed_in_key

_NUMBER = "number"
_COOKIE, _THIS_HOST = "xinheng", "__Host-"
_AGAIN = "-again"
FORM_TOKEN, _NUMBERED = "form_token", re.compile(f"[0-9a-f]{{16}}({_AGAIN})?")


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie. Over TLS it is sent over TLS alone, and its name says that this host has set it:
    from a neighbour of the same domain, who could hand its own sign-in to a visitor, browsers take none such
    (RFC 6265bis, 4.1.3.2).
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """None for the API, whose requests bring their keys, and for the pages that everybody is told alike:
        there no cookie is read or set.
        """
        is_without = f"{request.path}/".startswith(("/v1/", "/public/"))
        return None if is_without else super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:
        """What the cookie is called."""
        return f"{_THIS_HOST}{_COOKIE}" if request.is_secure else _COOKIE

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def install(app: Flask, secret: str) -> None:
    """Have sessions signed with a secret that all workers share."""
    app.session_interface = _Sessions()
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME=_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LASTS,
    )


def begin(key: Key) -> None:
    """Sign a key's bearer in, with a new number; what was begun in this browser before, ends."""
    end()
    session.permanent = True
    session[_NUMBER] = begin_session(store(), key)


def end() -> None:
    """Sign out."""
    number = session.get(_NUMBER)
    session.clear()
    if number is not None:
        end_session(store(), number)


def signed_in() -> Key:
    """The key of who is signed in.

    :raises Problem: 401 where nobody is, the session has ended or its key has.
    """
    number = session.get(_NUMBER)
    if number is None:
        raise Problem("unauthenticated", Title("请用密钥登录", "sign in with a key"))
    key = signed_in_key(store(), number)
    if key is None or key.state != "active":
        session.clear()
        again = Title("请重新登录", "sign in again")
        ended = key and Title(f"密钥{key.prefix}已失效", f"the key {key.prefix} is {key.state}")
        raise Problem("unauthenticated", ended or again)
    return key


def form_token() -> str:
    """What a form of this session sends along: a token, so that no other site can send it, and a number of
    its own, so that it is taken once. Where the same was sent before, it says that this is known.
    """
    if FORM_TOKEN not in session:
        session[FORM_TOKEN] = secrets.token_urlsafe(24)
    again = _AGAIN if current().earlier else ""
    return f"{session[FORM_TOKEN]}.{secrets.token_hex(8)}{again}"


def form_number() -> str | None:
    """The number of the form that this request sends; None where it has none, or is not this session's."""
    token, _, number = request.form.get(FORM_TOKEN, "").partition(".")
    return number if _is_own(token) and _NUMBERED.fullmatch(number) else None


def is_meant_again(number: str) -> bool:
    """Whether the number of a form says that the same was sent before, and its sender was told so."""
    return number.endswith(_AGAIN)


def is_of_this_site() -> bool:
    """Whether a page of this site sends this form, as far as its browser says."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def check_site() -> None:
    """Refuse a form that another site has sent, where there is no session whose token it could hold: 400.

    Browsers say whose page sends it (Fetch Metadata); what says nothing of it is no browser, and has nobody
    to send for.
    """
    if not is_of_this_site():
        fail("bad-request", Title("表单来自其他网站", "the form comes from another site"))


def check_form() -> None:
    """Refuse a form that does not come from a page of this session: 400.

    Who has signed in again since, as the same person or another, finds what was typed in a form of the
    session that there is now: nothing is done in the name of somebody who has not seen it.
    """
    token, _, number = request.form.get(FORM_TOKEN, "").partition(".")
    if _is_own(token):
        return
    if not (current().access.is_typed and _NUMBERED.fullmatch(number)):
        fail("bad-request", Title("表单已过期,请重新打开页面", "the form is too old; load the page again"))
    check_site()
    if current().access.logged == "change" and (key := current().key) is not None:
        zh = f"此表单是上次登录时打开的,尚未办理:请核对后再次提交,将以{key.owner}的名义办理"
        en = f"this form is of an earlier sign-in, and was not done: check it, and send it as {key.owner}"
        current().unsent = Title(zh, en)


def _is_own(token: str) -> bool:
    expected = str(session.get(FORM_TOKEN, ""))
    return bool(expected) and hmac.compare_digest(token.encode(), expected.encode())
