"""Errors as problem details (RFC 9457), each of a stable type that is explained under its own address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import Response, current_app
from marshmallow import Schema, fields
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound

from api.around.request import current
from rules.model import Title

MEDIA_TYPE = "application/problem+json"
PROGRAMS = ("/v1/", "/openapi.json")
"""Where addresses begin that only programs ask for."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: its stable name, HTTP status, title, and what a client can do about it."""

    name: str
    status: int
    title: str
    advice: str

    @property
    def uri(self) -> str:
        """The type's URI, relative to the server; a GET of it explains the type."""
        return f"/problems/{self.name}"


TYPES = {
    kind.name: kind
    for kind in (
        ProblemType("bad-request", 400, "The request can't be read", "Mend its syntax; see detail."),
        ProblemType("unauthenticated", 401, "A valid key is needed", "Send Authorization: Bearer xh_…"),
        ProblemType("forbidden", 403, "This key does not open this", "Use a key of a role that may."),
        ProblemType("consent-invalid", 403, "No valid consent", "Obtain the subject's consent; see detail."),
        ProblemType("lender-stopped", 403, "This lender is stopped", "Ask the credit office; see detail."),
        ProblemType("not-found", 404, "There is no such thing", "See detail; check the address."),
        ProblemType("method-not-allowed", 405, "This can't be done here", "Use a method listed in Allow."),
        ProblemType("conflict", 409, "Things stand otherwise", "Look at the present state; see detail."),
        ProblemType("too-large", 413, "The request is too large", "Send it in parts."),
        ProblemType("unsupported-media-type", 415, "Not the right kind of body", "Send application/json."),
        ProblemType("invalid", 422, "Something in the request is wrong", "Mend what errors lists."),
        ProblemType("too-many-requests", 429, "Too many requests", "Wait for Retry-After seconds."),
        ProblemType("internal", 500, "Something went wrong here", "Report the request id to the operator."),
        ProblemType("store-unavailable", 503, "The store can't be used now", "Try again later."),
        ProblemType("not-printable", 503, "No PDF can be made here", "Tell the operator; see detail."),
        ProblemType("busy", 503, "The server is at its limit", "Wait for Retry-After seconds."),
    )
}
_TOLD = {
    "bad-request": "请求无法读取,请核对地址和内容",
    "unauthenticated": "请用密钥登录",
    "forbidden": "此密钥无权打开这里",
    "consent-invalid": "没有有效的授权",
    "lender-stopped": "该机构的查询已停止",
    "not-found": "没有找到,请核对地址",
    "method-not-allowed": "此处不能这样做",
    "conflict": "现状不允许这样做,请刷新后查看",
    "too-large": "内容过大,请分批发送",
    "unsupported-media-type": "内容的类型不对",
    "invalid": "内容有误",
    "too-many-requests": "请求过多,请稍后再试",
    "internal": "系统出错,请联系管理员",
    "not-printable": "无法生成PDF,请联系管理员",
    "busy": "服务器繁忙,请稍后再试",
    "store-unavailable": "数据库暂时无法使用,请稍后再试",
}
"""What a page says of an error of a kind in Chinese where nothing more is known in Chinese."""
_BY_STATUS = {kind.status: kind for kind in reversed(TYPES.values())}


class FieldErrorSchema(Schema):
    """One thing that is wrong with a request."""

    location = fields.String(required=True, metadata={"description": "json, query, headers or path"})
    field = fields.String(
        required=True, metadata={"description": "Path of the field, such as records.0.kind"}
    )
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """Problem details (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "Stable URI of the kind of error"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True, metadata={"description": "The path asked for"})
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldErrorSchema))


class Problem(HTTPException):
    """An error of a known type, for resources to raise.

    :ivar said: its detail, in Chinese and English where it is known in both; programs read the English.
    """

    def __init__(
        self,
        name: str,
        detail: str | Title,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail.en if isinstance(detail, Title) else detail)
        self.said = detail
        self.kind = TYPES[name]
        self.code = self.kind.status
        self.errors = errors or []
        self.headers = headers or {}


def said(error: HTTPException) -> Title:
    """What a page says of an error; in Chinese at least of what kind it is."""
    if isinstance(error, Problem) and isinstance(error.said, Title):
        return error.said
    if error.description == NotFound.description:
        return Title("这个地址没有页面，请核对地址。", "There is no page at this address; check it.")
    kind = error.kind if isinstance(error, Problem) else _kind(error.code or 500)
    return Title(_TOLD[kind.name], _detail(error, kind))


def fail(name: str, detail: str | Title) -> NoReturn:
    """Answer with a problem.

    :param name: one of :data:`TYPES`.
    :param detail: what was wrong with this request, for its sender to read.

    >>> fail("not-found", "there is no run 7")
    Traceback (most recent call last):
        ...
    api.http.problems.Problem: 404 Not Found: there is no run 7
    """
    raise Problem(name, detail)


def given_twice(given: MultiDict[str, str]) -> list[str]:
    """The names to which an address or a form gives more than one value."""
    return [name for name, values in given.lists() if len(values) > 1]


def unavailable(why: str) -> Problem:
    """The store fails. What was done before stays done, so of a change no more is said than is known."""
    changes = current().method not in ("GET", "HEAD")
    unknown = ". Whether this was done is not known: look, or repeat it with the same Idempotency-Key"
    return Problem("store-unavailable", why + (unknown if changes else ""), headers={"Retry-After": "5"})


def problem_response(error: HTTPException) -> Response:
    """Any HTTP error as problem details."""
    request = current()
    status = error.code or 500
    kind = error.kind if isinstance(error, Problem) else _kind(status)
    body = {
        "type": kind.uri,
        "title": kind.title,
        "status": status,
        "detail": _detail(error, kind),
        "instance": request.path,
        "request_id": request.request_id,
    }
    errors = error.errors if isinstance(error, Problem) else list(_field_errors(error))
    if errors:
        body["errors"] = errors
    response = current_app.response_class(current_app.json.dumps(body))
    response.status_code = status
    response.mimetype = MEDIA_TYPE
    response.headers.update(answered_headers(error))
    return response


def _kind(status: int) -> ProblemType:
    family = 400 if status < 500 else 500
    return _BY_STATUS.get(status, _BY_STATUS[family])


def _detail(error: HTTPException, kind: ProblemType) -> str:
    if kind.status >= 500 and not isinstance(error, Problem):
        return kind.advice
    return error.description or kind.title


def answered_headers(error: HTTPException) -> Mapping[str, str]:
    """The error's own headers, such as Allow and Retry-After."""
    if isinstance(error, Problem):
        return error.headers
    own = dict(error.get_headers(current().environ))
    return {name: value for name, value in own.items() if name not in ("Content-Type", "Content-Length")}


def _field_errors(error: HTTPException) -> Iterator[dict[str, str]]:
    """What validation found, of flask-smorest's tree: location → field → … → messages."""
    data = getattr(error, "data", None) or {}
    for location, tree in (data.get("messages") or {}).items():
        yield from field_errors(str(location), tree)


def field_errors(location: str, tree: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """What validation found in one part of a request.

    :param tree: field → … → messages.
    :param path: of the field that the tree is about.

    >>> list(field_errors("json", {"records": {"0": {"kind": ["Missing data."]}}}))
    [{'location': 'json', 'field': 'records.0.kind', 'message': 'Missing data.'}]
    """
    for place, message in _leaves(tree, path):
        yield {"location": location, "field": ".".join(place), "message": message}


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from _leaves(inner, path if key == "_schema" else (*path, str(key)))
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from _leaves(inner, path)
    else:
        yield path, str(tree)
