"""Signing in at a provider of OpenID Connect (code flow with PKCE): it says who comes. authlib speaks to it.

The state of a sign-in that is under way is in the visitor's own signed cookie, so that nobody can be signed
in as somebody else by a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request, session
from werkzeug.wrappers import Response

from api.around.observe import log_failure
from api.http.problems import Problem, fail, unavailable
from api.settings import Settings
from rules.model import Title
from scoring.access.apart import within

if TYPE_CHECKING:
    from authlib.integrations.flask_client import FlaskOAuth2App
    from authlib.integrations.requests_client import OAuth2Session

_NAME = "openid"
_STATE = f"_state_{_NAME}_"
_SECONDS = 10
"""How long the provider may take for an answer, from the first byte to the last."""

_MOST = 1024 * 1024
"""The largest answer that is read of it, in bytes: what it says of itself, its keys, a token."""

_SIGNED_BY = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""By the provider's own keys, whatever else it may offer."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where persons sign in.

    :ivar issuer: its address, as the persons' identities name it.
    """

    issuer: str
    _client: FlaskOAuth2App

    def ask(self, back: str) -> Response:
        """Send the visitor there.

        :param back: the address to come back to, which the provider knows: one by the settings.
        :raises Problem: 503 where the provider can't be reached.
        """
        for name in [name for name in session if name.startswith(_STATE)]:
            del session[name]  # a cookie holds few of them, and one is enough
        answer: Response = self._reached(self._client.authorize_redirect, back)
        return answer

    def is_awaited(self) -> bool:
        """Whether this visitor was sent there by :meth:`ask`, as far as the cookie says."""
        return f"{_STATE}{request.args.get('state', '')}" in session

    def person(self) -> str:
        """Who has come back from there, as the provider calls the person (``sub``).

        :raises Problem: 401 where the provider, or what it sent, does not say so; 503 where it can't be
            reached.
        """
        wanted = {"iss": {"essential": True, "values": [self.issuer]}, "sub": {"essential": True}}
        token = self._reached(self._client.authorize_access_token, claims_options=wanted)
        said = token.get("userinfo")
        if not said:
            fail("unauthenticated", Title("认证服务没有说明您的身份", "the provider did not say who you are"))
        return str(said["sub"])

    def _reached(self, step: Any, *arguments: Any, **options: Any) -> Any:
        """What a step of the library gives; where it fails, what is said to people."""
        from authlib.integrations.base_client import OAuthError
        from joserfc.errors import JoseError

        try:
            found = self._client.load_server_metadata()
            if found.get("issuer") != self.issuer:
                del found["_loaded_at"]  # what is wrong is asked for again
                raise ValueError(f"the provider calls itself {found.get('issuer')!r}, not {self.issuer!r}")
            found["id_token_signing_alg_values_supported"] = _SIGNED_BY
            return step(*arguments, **options)
        except (OAuthError, JoseError) as error:
            log_failure(error)
            cancelled = getattr(error, "error", "") == "access_denied"
            raise Problem("unauthenticated", _CANCELLED if cancelled else _REFUSED) from None
        except Exception as error:  # the library trusts that a provider says what the standard says
            log_failure(error)
            raise unavailable(_SILENT) from None


_CANCELLED = Title("您在认证服务处取消了登录", "the sign-in was cancelled at the provider")
_REFUSED = Title(
    "认证服务未能确认这次登录,请重新登录", "the provider did not confirm this sign-in; try again"
)
_SILENT = Title(
    "统一身份认证服务暂时无法使用,请稍后再试,或用密钥登录",
    "the provider can't be used now; try again later, or sign in with a key",
)


def install(app: Flask, settings: Settings) -> None:
    """Let persons sign in at the provider of the settings, if they name one."""
    if settings.openid_issuer is None or settings.address is None:
        return
    from authlib.integrations.flask_client import OAuth  # it costs a tenth of a second, and few need it

    client: FlaskOAuth2App = OAuth(app).register(  # type: ignore[no-untyped-call]
        _NAME,
        client_id=settings.openid_client,
        client_secret=settings.openid_secret,
        server_metadata_url=f"{settings.openid_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid", "code_challenge_method": "S256", "default_timeout": _SECONDS},
    )
    client.client_cls = _bounded()
    app.extensions[_NAME] = Provider(settings.openid_issuer, client)


def _bounded() -> type[OAuth2Session]:
    """What speaks to the provider: it follows nobody elsewhere, waits no longer than :data:`_SECONDS` and
    reads no more than :data:`_MOST`.
    """
    from authlib.integrations.requests_client import OAuth2Session
    from requests import Response as Answer

    class Bounded(OAuth2Session):
        def request(self, method: Any, url: Any, *given: Any, **options: Any) -> Answer:
            self.headers["Accept-Encoding"] = "identity"
            options |= {"stream": True, "allow_redirects": False}

            def read() -> Answer:
                with super(Bounded, self).request(method, url, *given, **options) as answer:
                    answer._content = answer.raw.read(_MOST + 1, decode_content=False)
                if len(answer.content) > _MOST:
                    raise ValueError(f"{url} answers more than {_MOST} bytes")
                if answer.is_redirect:
                    raise ValueError(f"{url} leads elsewhere")
                return answer

            return within(_SECONDS, read)

    return Bounded


def provider() -> Provider | None:
    """Where persons sign in; None where keys alone open the pages."""
    found: Provider | None = current_app.extensions.get(_NAME)
    return found
