"""Signing in at a provider of OpenID Connect, and coming back from it."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, request, session, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from api.around import openid
from api.around.context import public_address, store
from api.around.openid import Provider
from api.around.session import begin
from api.http.problems import Problem
from api.pages.blueprint import blueprint, page
from api.pages.sign_in import local
from scoring.access.identities import NotAdmittedError, key_of
from scoring.access.keys import KeyRefusedError

_NEXT = "openid_next"


@blueprint.get("/sign-in/openid")
def ask_provider() -> Response:
    """Go to the provider."""
    answer = _provider().ask(str(public_address("pages.come_from_provider")))
    session[_NEXT] = request.args.get("next", "")
    return answer


@blueprint.get("/sign-in/openid/back")
def come_from_provider() -> Response:
    """Come back from the provider, and be let in if somebody has admitted this person.

    The browser sends our cookie, which has the state, to no page that another site led to; so this page has
    it load itself once more.
    """
    provider = _provider()
    if not provider.is_awaited() and "again" not in request.args:
        query = urlencode([*request.args.items(), ("again", "1")])
        return page("coming", address=f"{url_for('pages.come_from_provider')}?{query}")
    person, wanted = provider.person(), str(session.get(_NEXT, ""))
    try:
        begin(key_of(store(), provider.issuer, person))
    except (NotAdmittedError, KeyRefusedError) as error:
        raise Problem("unauthenticated", error.title) from None
    return redirect(local(wanted), 303)


def _provider() -> Provider:
    found = openid.provider()
    if found is None:
        raise NotFound
    return found
