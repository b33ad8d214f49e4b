"""Errors as problem details (RFC 9457), each of a stable type that is explained under its own address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import Response, current_app
from marshmallow import Schema, fields
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from api.around.request import current
from api.http.messages import in_language, language
from rules.model import Title

MEDIA_TYPE = "application/problem+json"
PROGRAMS = ("/v1/", "/openapi.json")
"""Where addresses begin that only programs ask for."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: its stable name, HTTP status, title, and what a client can do about it."""

    name: str
    status: int
    title: Title
    advice: Title

    @property
    def uri(self) -> str:
        """The type's URI, relative to the server; a GET of it explains the type."""
        return f"/problems/{self.name}"


def _kinds() -> Iterator[ProblemType]:
    for name, status, title, advice, zh, advice_zh in (
        ("bad-request", 400, "The request can't be read", "Mend its syntax; see detail.",
         "请求无法读取,请核对地址和内容", "请按detail更正后再发"),
        ("unauthenticated", 401, "A valid key is needed", "Send Authorization: Bearer xh_…",
         "请用密钥登录", "请求头须有Authorization: Bearer xh_…"),
        ("forbidden", 403, "This key does not open this", "Use a key of a role that may.",
         "此密钥无权打开这里", "请换用有权限的密钥"),
        ("consent-invalid", 403, "No valid consent", "Obtain the subject's consent; see detail.",
         "没有有效的授权", "请先取得被查询人的授权,详见detail"),
        ("lender-stopped", 403, "This lender is stopped", "Ask the credit office; see detail.",
         "该机构的查询已停止", "请联系信用监管机构,详见detail"),
        ("not-found", 404, "There is no such thing", "See detail; check the address.",
         "没有找到,请核对地址", "请按detail核对地址"),
        ("method-not-allowed", 405, "This can't be done here", "Use a method listed in Allow.",
         "此处不能这样做", "请用响应头Allow所列的方法"),
        ("conflict", 409, "Things stand otherwise", "Look at the present state; see detail.",
         "现状不允许这样做,请刷新后查看", "请查看现状,详见detail"),
        ("too-large", 413, "The request is too large", "Send it in parts.",
         "内容过大,请分批发送", "请分批发送"),
        ("unsupported-media-type", 415, "Not the right kind of body", "Send application/json.",
         "内容的类型不对", "请发送application/json"),
        ("invalid", 422, "Something in the request is wrong", "Mend what errors lists.",
         "内容有误", "请更正errors所列各项"),
        ("too-many-requests", 429, "Too many requests", "Wait for Retry-After seconds.",
         "请求过多,请稍后再试", "请等待响应头Retry-After所列的秒数"),
        ("internal", 500, "Something went wrong here", "Report the request id to the operator.",
         "系统出错,请联系管理员", "请把request_id告诉管理员"),
        ("store-unavailable", 503, "The store can't be used now", "Try again later.",
         "数据库暂时无法使用,请稍后再试", "请稍后再试"),
        ("rules-at-fault", 503, "A file of rules has faults", "Tell the operator; the log has the place.",
         "评价规则的文件有误,请联系管理员", "请联系管理员,日志载明有误之处"),
        ("not-printable", 503, "No PDF can be made here", "Tell the operator; see detail.",
         "无法生成PDF,请联系管理员", "请联系管理员,详见detail"),
        ("busy", 503, "The server is at its limit", "Wait for Retry-After seconds.",
         "服务器繁忙,请稍后再试", "请等待响应头Retry-After所列的秒数"),
    ):  # fmt: skip
        yield ProblemType(name, status, Title(zh, title), Title(advice_zh, advice))


TYPES = {kind.name: kind for kind in _kinds()}
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

    :param errors: location, field and message of each thing that is wrong; the message as :func:`in_language`
        takes it.
    :ivar said: its detail.
    """

    def __init__(
        self,
        name: str,
        detail: Title,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail.en)
        self.said = detail
        self.kind = TYPES[name]
        self.code = self.kind.status
        self.errors = errors or []
        self.headers = headers or {}


def said(error: HTTPException) -> Title:
    """What is said of an error to who asked."""
    if isinstance(error, Problem):
        return error.said
    if error.description == NotFound.description:
        return Title("没有这个地址，请核对。", "There is nothing at this address; check it.")
    kind = _kind(error.code or 500)
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted({*(error.valid_methods or ())} - {"HEAD", "OPTIONS"}))
        return Title(f"{kind.title.zh};可用的方法:{methods}", f"{kind.title.en}; what is: {methods}")
    return kind.advice if kind.status >= 500 else kind.title  # a framework's sentence helps nobody


def fail(name: str, detail: Title) -> NoReturn:
    """Answer with a problem.

    :param name: one of :data:`TYPES`.
    :param detail: what was wrong with this request, for its sender to read.

    >>> from rules.model import Title
    >>> fail("not-found", Title("没有第7次评价", "there is no run 7"))
    Traceback (most recent call last):
        ...
    api.http.problems.Problem: 404 Not Found: there is no run 7
    """
    raise Problem(name, detail)


def given_twice(given: MultiDict[str, str]) -> list[str]:
    """The names to which an address or a form gives more than one value."""
    return [name for name, values in given.lists() if len(values) > 1]


def told_twice(names: Iterable[str]) -> Title:
    """What is said where an address or a form gives names more than one value."""
    shown = ", ".join(names)
    return Title(f"参数{shown}重复", f"the parameter {shown} is given twice")


RULES_AT_FAULT = Title(
    "有评价规则的文件有误,改正之前无法使用,请联系管理员",
    "a file of rules has faults, and nothing is said by it before they are mended: tell the operator",
)


def unavailable(why: Title, kind: str = "store-unavailable") -> Problem:
    """The store, or a file of rules, fails. What was done before stays done, so of a change no more is said
    than is known."""
    zh, en = why.zh, why.en
    if current().method not in ("GET", "HEAD"):
        zh += ";是否已办理尚不清楚,请查看,或用同一Idempotency-Key再发"
        en += ". Whether this was done is not known: look, or repeat it with the same Idempotency-Key"
    return Problem(kind, Title(zh, en), headers={"Retry-After": "5"})


def problem_response(error: HTTPException) -> Response:
    """Any HTTP error as problem details, in the language that Accept-Language asks for."""
    request = current()
    status = error.code or 500
    kind = error.kind if isinstance(error, Problem) else _kind(status)
    body = {
        "type": kind.uri,
        "title": in_language(kind.title),
        "status": status,
        "detail": in_language(said(error)),
        "instance": request.path,
        "request_id": request.request_id,
    }
    errors = error.errors if isinstance(error, Problem) else list(_field_errors(error))
    if errors:
        body["errors"] = list(map(told_fault, errors))
    response = current_app.response_class(current_app.json.dumps(body))
    response.status_code = status
    response.mimetype = MEDIA_TYPE
    response.headers.update(answered_headers(error))
    response.content_language.add(language())
    response.vary.add("Accept-Language")
    return response


def told_fault(fault: dict[str, Any]) -> dict[str, Any]:
    """One thing that is wrong with a request, in the language that is asked for."""
    return fault | {"message": in_language(fault["message"])}


def example(status: int) -> dict[str, Any]:
    """A problem of a status, for the document."""
    kind = _kind(status)
    said = {"type": kind.uri, "title": kind.title.en, "status": status, "instance": "/v1/records/P-1"}
    return said | {
        "detail": "What was wrong with this request, in a sentence",
        "request_id": "1f6e0c3a9b7d4852",
    }


def _kind(status: int) -> ProblemType:
    family = 400 if status < 500 else 500
    return _BY_STATUS.get(status, _BY_STATUS[family])


def answered_headers(error: HTTPException) -> Mapping[str, str]:
    """The error's own headers, such as Allow and Retry-After."""
    if isinstance(error, Problem):
        return error.headers
    own = dict(error.get_headers(current().environ))
    return {name: value for name, value in own.items() if name not in ("Content-Type", "Content-Length")}


def _field_errors(error: HTTPException) -> Iterator[dict[str, Any]]:
    """What validation found, of flask-smorest's tree: location → field → … → messages."""
    data = getattr(error, "data", None) or {}
    for location, tree in (data.get("messages") or {}).items():
        yield from field_errors(str(location), tree)


def field_errors(location: str, tree: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """What validation found in one part of a request.

    :param tree: field → … → messages.
    :param path: of the field that the tree is about.

    >>> list(field_errors("json", {"records": {"0": {"kind": ["Missing data."]}}}))
    [{'location': 'json', 'field': 'records.0.kind', 'message': 'Missing data.'}]
    """
    for place, message in _leaves(tree, path):
        yield {"location": location, "field": ".".join(place), "message": message}


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Title | str]]:
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from _leaves(inner, path if key == "_schema" else (*path, str(key)))
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from _leaves(inner, path)
    else:
        yield path, tree if isinstance(tree, Title) else str(tree)
