"""The application factory: the one place where the parts are joined."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from api import pages
from api.around import auth, crowd, edge, idempotency, journal, limits, naming, observe, openid, session
from api.around.request import Request, current
from api.http import docs, fields
from api.http.openapi import make_api
from api.http.problems import RULES_AT_FAULT, Problem, problem_response, unavailable
from api.pages.errors import page_response
from api.resources import BLUEPRINTS
from api.settings import Settings, read_settings
from rules.fault import PackError
from rules.model import Title
from rules.titles import UnknownError
from scoring.access.audit import AuditLog
from scoring.access.cache import TimedCache
from scoring.access.consents import now
from scoring.access.keys import KeyRing
from scoring.characters.visible import shown
from scoring.store import Store, StoreError, open_store


def create_app(settings: Settings | None = None, store: Store | None = None) -> Flask:
    """A Flask application on a store.

    :param settings: by default the environment's.
    :param store: by default the settings' own, opened here.
    :raises StoreError: where the store can't be opened.
    :raises SettingsError: where the environment holds what can't be used.
    """
    settings = settings or read_settings()
    store = store or open_store(settings.database_url)
    app = _Application("api")
    app.json = fields.JSONProvider(app)
    app.url_map.strict_slashes = False
    naming.install(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes  # a draft may be written into a form
    app.extensions.update(store=store, settings=settings, runs=TimedCache(settings.cache_seconds), clock=now)
    _install(app, settings, store)
    if settings.proxies:  # outermost: everything else sees the client as the proxies do
        app.wsgi_app = ProxyFix(app.wsgi_app, settings.proxies, settings.proxies)  # type: ignore[method-assign]
    api = make_api(app)
    fields.register(api)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(pages.blueprint)
    _handle_errors(app)
    return app


class _Rule(Rule):
    """An address of which what builds it is compiled when it is first built: of most it never is."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        @cache
        def builder() -> Callable[..., tuple[str, str]]:
            return compiled(append_unknown)

        return lambda rule, **values: builder()(rule, **values)


class _Application(Flask):
    """Flask without asking of every view and hook, at every request, whether it is asynchronous: none is."""

    request_class = Request
    url_rule_class = _Rule
    response_class = crowd.Answer
    jinja_options = {"finalize": shown}  # noqa: RUF012  # Flask's own

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def _install(app: Flask, settings: Settings, store: Store) -> None:
    """What surrounds every request, from the outside in: Flask runs the last after_request first."""
    observe.install(app, settings.log_level)
    crowd.install(app)
    edge.install(app)
    app.before_request(_refuse_nul)
    session.install(app, settings.secret)
    openid.install(app, settings)
    auth.install(app, KeyRing(store, settings.cache_seconds))
    limits.install(app, settings.rate_limit)
    journal.install(app, AuditLog(store))
    idempotency.install(app)


def _refuse_nul() -> None:
    """No name here holds the character, and PostgreSQL can't even be asked for it."""
    request = current()
    if "\0" in request.path or b"%00" in request.query_string:
        raise Problem("bad-request", Title("地址中含有NUL字符", "the address holds the character NUL"))


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(StoreError)
    def store_error(error: StoreError) -> Response:
        observe.log_failure(error)
        return http_error(unavailable(Title("数据库暂时无法使用", "the store can't be used now")))

    @app.errorhandler(PackError)
    def pack_error(error: PackError) -> Response:
        """Of a file in the folder, or a text that was approved: whoever asks has not sent it."""
        observe.log_failure(error)
        return http_error(unavailable(RULES_AT_FAULT, "rules-at-fault"))

    @app.errorhandler(UnknownError)
    def unknown(error: UnknownError) -> Response:
        return http_error(naming.not_found(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return page_response(error) or problem_response(error)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        observe.log_failure(error)
        return http_error(InternalServerError())
