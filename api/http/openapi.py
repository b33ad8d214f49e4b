"""flask-smorest with types, and with errors documented as the problem details that they are."""

from __future__ import annotations

import functools
import http
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import flask_smorest  # type: ignore[import-untyped]
from flask import Flask, Response, current_app, request
from flask import json as flask_json
from flask_smorest.utils import (  # type: ignore[import-untyped]
    load_info_from_docstring,
    prepare_response,
)
from marshmallow import Schema
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from api.around.access import ACCESS, ALL, Access
from api.http.examples import put_examples
from api.http.problems import (
    MEDIA_TYPE,
    Problem,
    ProblemSchema,
    example,
    fail,
    given_twice,
    problem_response,
    told_twice,
)
from rules.model import Title

View = TypeVar("View", bound=Callable[..., Any])


class _Parser(FlaskParser):
    """Reads arguments; those of an empty query string are always the same, and are read once a schema."""

    def __init__(self) -> None:
        super().__init__()
        self._of_nothing: dict[Any, dict[str, Any]] = {}

    def parse(self, argmap: Any, req: Any = None, *, location: str | None = None, **options: Any) -> Any:
        is_empty = location == "query" and not request.query_string
        if is_empty and argmap in self._of_nothing:
            return dict(self._of_nothing[argmap])
        parsed = super().parse(argmap, req, location=location, **options)
        if is_empty:
            self._of_nothing[argmap] = dict(parsed)
        return parsed

    def load_json(self, req: Any, schema: Schema) -> Any:
        """The body. Python takes more than JSON has, and gives up on some of what it has: neither passes."""
        try:
            body = super().load_json(req, schema)
            if body is not missing:
                json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except RecursionError:
            fail("bad-request", Title("JSON嵌套过深", "the JSON is nested too deep"))
        except UnicodeEncodeError:
            en = "the JSON has a text with half a surrogate pair, such as \\ud800 alone"
            fail("bad-request", Title("JSON的文字中有不成对的代理项,如单独的\\ud800", en))
        except ValueError:
            digits = sys.get_int_max_str_digits()
            en = f"the JSON has a number such as NaN, 1e999 or of more than {digits} digits"
            fail("bad-request", Title(f"JSON中有NaN、1e999或超过{digits}位的数", en))
        return body

    def _raw_load_json(self, req: Any) -> Any:
        if not req.is_json:
            if req.get_data(cache=True):
                header = "Content-Type: application/json"
                fail("invalid", Title(f"请在请求头中写明{header}", f"send the header {header}"))
            return missing
        return json.loads(req.get_data(cache=True).decode(), object_pairs_hook=_each_once)

    def _handle_invalid_json_error(self, error: ValueError, *_: Any, **__: Any) -> NoReturn:
        fail("bad-request", Title(f"内容不是JSON:{error}", f"the body is not JSON: {error}"))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; which of two values of one name is meant, nobody knows."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        name = twice[:100]
        fail("bad-request", Title(f"JSON中{name}重复", f"the JSON has an object with the name {name} twice"))
    return found


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A group of endpoints; the decorators leave the type of a view as it is."""

    ARGUMENTS_PARSER = _Parser()

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer GET."""
        return self._method("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer POST."""
        return self._method("POST", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer DELETE."""
        return self._method("DELETE", rule, options)

    def query(self, schema: type[Schema]) -> Callable[[View], View]:
        """Read the query string by a schema."""
        read = self.arguments(schema(), location="query")

        def register(view: View) -> View:
            reader = read(view)
            reader.query_names = frozenset(schema().fields)
            return reader  # type: ignore[no-any-return]

        return register

    def body(self, schema: type[Schema]) -> Callable[[View], View]:
        """Read a JSON body by a schema."""
        return self.arguments(schema())  # type: ignore[no-any-return]

    def answers(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Write the answer by a schema."""
        return self.response(status, schema, **options)  # type: ignore[no-any-return]

    def describe(self, **documentation: Any) -> Callable[[View], View]:
        """Add to the document what the view itself does not say."""
        return self.doc(**documentation)  # type: ignore[no-any-return]

    def _method(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[View], View]:
        route = self.route(rule, methods=[method], **options)

        def register(view: View) -> View:
            described = self.describe(**_said(self.name, view, method, rule))(view)
            route(_knows_its_query(described))
            return described  # views that call one another answer for no query but their own

        return register


def _said(blueprint: str, view: View, method: str, rule: str) -> dict[str, Any]:
    """What the document says of an operation beside its schemas: whom it opens to, and how it may fail."""
    name = view.__name__
    access = ACCESS[f"{blueprint}.{name}"]
    more = load_info_from_docstring(view.__doc__ or "").get("description", "")
    failures = ["BAD_REQUEST", "SERVICE_UNAVAILABLE"]
    failures += ["UNAUTHORIZED", "FORBIDDEN"] if access.roles is not None else []
    failures += ["TOO_MANY_REQUESTS"] if access.roles is not None or access.is_counted else []
    failures += ["NOT_FOUND"] if "<" in rule else []
    failures += [_UNPROCESSABLE] if "subject_id>" in rule else []
    failures += ["REQUEST_ENTITY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] if method == "POST" else []
    failures += ["CONFLICT"] if access.logged == "change" else []
    return {
        "operationId": name if _OF_ONE[name] == 1 else f"{name}_of_{blueprint}",
        "description": "\n\n".join(filter(None, (more, _opens(access)))),
        "responses": {http.HTTPStatus[name].value: name for name in failures},
    }


_UNPROCESSABLE = http.HTTPStatus(422).name  # which Python 3.13 renames

_OF_ONE = Counter(endpoint.partition(".")[2] for endpoint in ACCESS if not endpoint.startswith("pages."))
"""How many operations have a name; those that share one say of what they are."""

_LOGGED = {"read": "Who read what is noted in the audit log.", "change": "It is noted in the audit log."}


def _opens(access: Access) -> str:
    """Whom an operation opens to, in a sentence or a few."""
    if access.roles is None:
        return "It needs no key." + (" An address may ask so often." if access.is_counted else "")
    roles = "of any role" if access.roles == ALL else f"of {', '.join(sorted(access.roles))}"
    kept = " Asked again under its Idempotency-Key, it answers the same." if access.kept else ""
    return " ".join(filter(None, (f"For keys {roles}.", _LOGGED.get(access.logged or "")))) + kept


def _knows_its_query(view: View) -> View:
    """The view, which answers 400 where the query string has a name twice, or one that its schema has not."""
    known: frozenset[str] = getattr(view, "query_names", frozenset())

    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        unknown = [name for name in request.args if name not in known] if request.query_string else []
        if unknown:
            names, those = ", ".join(unknown), ", ".join(sorted(known))
            right = f"those there are: {those}" if known else "there are none here"
            zh = f"没有参数{names};{f'可用:{those}' if known else '此处没有参数'}"
            detail = Title(zh, f"there is no parameter {names}; {right}")
            errors = [
                {"location": "query", "field": name, "message": "Unknown parameter."} for name in unknown
            ]
            raise Problem("bad-request", detail, errors)
        twice = given_twice(request.args)
        if twice:
            errors = [{"location": "query", "field": name, "message": "Given twice."} for name in twice]
            raise Problem("bad-request", told_twice(twice), errors)
        return view(*args, **kwargs)

    return answer  # type: ignore[return-value]


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest has no types
    """The API's OpenAPI document and its handling of errors."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Blueprint] = []
        self._describing = threading.Lock()
        self._document: str | None = None
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """As in flask-smorest, but that its views are described when the document is first asked for, once.

        To describe them takes longer than all else in the making of an application.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append(blueprint)

    def _openapi_json(self) -> Response:
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed.pop(0)
                blueprint.register_views_in_doc(
                    self, self._app, self.spec, name=blueprint.name, parameters=None
                )
                self.spec.tag({"name": blueprint.name, "description": blueprint.description})
            if self._document is None:
                document = self.spec.to_dict()
                put_examples(document["paths"])
                self._document = flask_json.dumps(document, separators=(",", ":"))
        return current_app.response_class(self._document, mimetype="application/json")

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Every HTTP error, wherever raised, as problem details."""
        return problem_response(error)

    def _register_pagination_header(self) -> None:
        """Pages say in their bodies where to go on."""

    def _register_responses(self) -> None:
        """As in flask-smorest, but for the media type, for which it has no setting."""
        named = [(status.name, status.phrase, status.value) for status in http.HTTPStatus if status >= 400]
        for name, description, status in [*named, (self.DEFAULT_ERROR_RESPONSE_NAME, "Problem details", 500)]:
            response = {"description": description, "schema": self.ERROR_SCHEMA, "example": example(status)}
            prepare_response(response, self.spec, MEDIA_TYPE)
            self.spec.components.response(name, response, lazy=True)


def make_api(app: Flask) -> Api:
    """The API of an application; its document is served as ``/openapi.json``.

    >>> from flask import Flask
    >>> make_api(Flask("example")).spec.to_dict()["openapi"]
    '3.1.0'
    """
    app.config.update(
        API_TITLE="Xinheng",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": _DESCRIPTION, "contact": _CONTACT, "license": _LICENCE},
            "servers": [{"url": "/", "description": "This server"}],
            "security": [{"key": []}],
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        },
    )
    return Api(app)


_CONTACT = {"name": "The credit centre that runs this server"}
_LICENCE = {"name": "As agreed with the owners of Xinheng", "identifier": "LicenseRef-Xinheng"}
"""None is granted to everybody."""
_DESCRIPTION = (
    "信衡. Grades of enterprises and others by declared rules, each with what it rests on. "
    "Scores and points are in points with two decimals; dates are those of Asia/Shanghai, YYYY-MM-DD alone, "
    "moments UTC. "
    "Listings come in pages: pass `next` of one page as `cursor` of the following request. "
    "Errors are problem details (RFC 9457), in Chinese where Accept-Language asks for it. "
    "Lenders begin at /quick-start."
)
