"""What all pages share: their blueprint, headers, errors, navigation and the words of templates."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from api.around import observe, openid, session
from api.around.access import ACCESS
from api.around.auth import PAGES
from api.around.context import settings
from api.around.naming import not_found
from api.around.request import current
from api.http.problems import RULES_AT_FAULT, Problem, fail, given_twice, said, told_twice
from api.pages import language, words
from api.pages.graded import pack_title
from rules.fault import PackError
from rules.model import Title
from rules.titles import UnknownError
from scoring.access.keys import ROLE_TITLES, Key, Role
from scoring.characters.visible import as_typed
from scoring.facts.objections import is_contestable
from scoring.facts.repairs import is_repairable
from scoring.store import StoreError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint(
    PAGES, __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)
blueprint.add_app_template_global(language.text, "t")
blueprint.add_app_template_global(language.plain, "tt")
blueprint.add_app_template_global(language.sign, "sign")
blueprint.add_app_template_global(language.comma, "comma")
blueprint.add_app_template_global(language.counted, "counted")
blueprint.add_app_template_filter(as_typed, "as_typed")
blueprint.add_app_template_filter(pack_title)
for name, shown in words.FILTERS.items():
    blueprint.add_app_template_filter(shown, name)

Entry = tuple[str, str, str]
_NAVIGATION: Sequence[tuple[Title, Sequence[Entry]]] = (
    (
        Title("今日待办", "Today"),
        [("pages.home", "今日待办", "Today")],
    ),
    (
        Title("评价", "Grades"),
        [
            ("pages.overview", "总览", "Overview"),
            ("pages.checks", "融资信用服务查询", "Lender checks"),
            ("pages.consents", "融资信用授权", "Consents"),
            ("pages.own", "本单位", "Own grade"),
            ("pages.subjects", "主体", "Subjects"),
            ("pages.runs", "执行评价", "Runs"),
            ("pages.proposals", "拟发布", "Proposals"),
            ("pages.ranking", "部门排名", "Departments"),
        ],
    ),
    (
        Title("规则", "Rules"),
        [
            ("pages.packs", "规则", "Rules"),
            ("pages.simulation", "模拟", "Simulation"),
            ("pages.backtest", "检验", "Tests"),
        ],
    ),
    (
        Title("监管", "Supervision"),
        [
            ("pages.alerts", "预警", "Alerts"),
            ("pages.plans", "检查计划", "Inspections"),
            ("pages.visits", "入企检查", "Visits"),
            ("pages.own_visits", "对本单位的检查", "Visits to us"),
        ],
    ),
    (
        Title("信用信息", "Records"),
        [
            ("pages.files", "报送文件", "Files"),
            ("pages.feeds", "报送质量", "Feeds"),
            ("pages.record_proposals", "待确认", "To be confirmed"),
            ("pages.subscriptions", "变动推送", "Subscriptions"),
        ],
    ),
    (
        Title("权益与惩戒", "Rights and measures"),
        [
            ("pages.objections", "异议", "Objections"),
            ("pages.objection_figures", "异议办理情况", "Objections by office"),
            ("pages.repairs", "信用修复", "Repairs"),
            ("pages.consequences", "惩戒措施", "Consequences"),
            ("pages.tickets", "问题闭环", "Tickets"),
        ],
    ),
)
"""Groups of endpoints with titles; each role is shown what it may open."""
_PUBLIC: Sequence[tuple[Title, Sequence[Entry]]] = tuple(
    (Title(zh, en), [(endpoint, zh, en)])
    for endpoint, zh, en in (
        ("pages.public_method", "评价办法", "How it works"),
        ("pages.public_packs", "评价规则", "Rules"),
        ("pages.public_trial", "模拟测算", "Try the rules"),
        ("pages.public_ranking", "部门排名", "Departments"),
        ("pages.public_objection_figures", "异议办理情况", "Objections by office"),
    )
)
"""What everybody may open, each at hand."""
_GROUPED = frozenset({Role.REGULATOR, Role.DEPARTMENT})
"""Who may open so much that it is folded into its groups."""


_ORGANISATION_MEANS = {
    Role.REGULATOR: Title("不决定对该单位记录的异议", "decides no objection to that office's records"),
    Role.DEPARTMENT: Title("只见、只办该单位的事项", "sees and does what is that office's"),
    Role.LENDER: Title("按给该机构的授权查询", "asks by consents to that lender"),
    Role.SUBJECT: Title("只见该主体自己的信息", "sees what is that subject's own"),
}
"""What follows of the organisation of a key, by its role."""


def page(template: str, status: int = 200, **values: object) -> Response:
    """A page.

    :param template: its file's name without ``.html``.
    :param values: what it shows.
    """
    return make_response(render_template(f"pages/{template}.html", **values), status)


@blueprint.before_request
def _check_form() -> None:
    if request.method == "POST" and current().access.is_public:
        _check_public_form()
    elif request.method == "POST":
        session.check_form()


def _check_public_form() -> None:
    """Refuse a form that another site sends, or that says more than its fields hold."""
    session.check_site()
    if request.content_length is None or request.content_length > _LARGEST_PUBLIC:
        most = Title(f"表单不得超过{_LARGEST_PUBLIC}字节", f"a form has {_LARGEST_PUBLIC} bytes at most")
        fail("bad-request", most)


_LARGEST_PUBLIC = 16_384
"""Bytes of a form that needs no key: its fields are short."""


@blueprint.before_request
def _each_once() -> None:
    """Which of two values of one name is meant, nobody knows."""
    if twice := given_twice(request.args) + given_twice(request.form):
        fail("bad-request", told_twice(twice))


@blueprint.after_request
def policy(response: Response) -> Response:
    """Keep everything from elsewhere out of a page, and what somebody may see out of what a browser keeps:
    going back after signing out shows nothing."""
    response.headers["Content-Security-Policy"] = POLICY
    if not current().access.is_public and request.endpoint != f"{PAGES}.static":
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.context_processor
def _of_request() -> dict[str, object]:
    return frame(current().key)


def frame(key: Key | None) -> dict[str, object]:
    """What the frame around every page shows.

    :param key: of who looks at it.
    """
    is_public = current().access.is_public
    return {
        "key": key,
        "public": is_public,
        "has_public": settings().public,
        "to": lambda name: f"pages.public_{name}" if is_public else f"pages.{name}",
        "here": _here(),
        "earlier": current().earlier,
        "in_language": _in_language,
        "language": language.chosen(),
        "languages": language.LANGUAGES,
        "roles": ROLE_TITLES,
        "organisation_means": _ORGANISATION_MEANS,
        "form_token": session.form_token,
        "provider": openid.provider(),
        "may": lambda endpoint: key is not None and opens(endpoint, key.role),
        "navigation": _PUBLIC if is_public else _navigation(key.role) if key else [],
        "is_contestable": is_contestable,
        "is_repairable": is_repairable,
    }


def _navigation(role: Role) -> list[tuple[Title, list[Entry]]]:
    """What a role may open; who may open little has each entry at hand, as a group of its own."""
    found = [(title, [entry for entry in entries if opens(entry[0], role)]) for title, entries in _NAVIGATION]
    if role in _GROUPED:
        return [(title, entries) for title, entries in found if entries]
    return [(Title(zh, en), [(endpoint, zh, en)]) for _, entries in found for endpoint, zh, en in entries]


def _here() -> str:
    """The address of this page, to come back to; a key in it may hold ``?`` and ``#``."""
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")


def _in_language(name: str) -> str:
    """Where this page is shown in a language from now on: a page for everybody has an address in each."""
    if not current().access.is_public:
        return url_for("pages.choose_language", name=name, next=_here())
    return f"{quote(request.path)}?{urlencode({**request.args.to_dict(), language.COOKIE: name})}"


def opens(endpoint: str, role: object) -> bool:
    """Whether a role may open a page."""
    access = ACCESS.get(endpoint)
    return access is not None and access.roles is not None and role in access.roles


@blueprint.errorhandler(StoreError)
def _store_error(error: StoreError) -> Response:
    observe.log_failure(error)
    return page(
        "error",
        503,
        code=503,
        detail=Title("数据库暂时无法使用,请稍后再试", "the store can't be used now; try again later"),
    )


@blueprint.errorhandler(PackError)
def _pack_error(error: PackError) -> Response:
    observe.log_failure(error)
    return page("error", 503, code=503, detail=RULES_AT_FAULT)


@blueprint.errorhandler(UnknownError)
def _unknown(error: UnknownError) -> AnyResponse:
    return _error(not_found(error))


@blueprint.errorhandler(HTTPException)
def _error(error: HTTPException) -> AnyResponse:
    """An error as a page; who is not signed in is asked to."""
    if isinstance(error, Problem) and error.kind.name == "unauthenticated":
        if request.endpoint in _DOORS:
            return page("sign_in", 401, refused=said(error), next=request.form.get("next", ""))
        if request.method == "POST" and current().access.is_typed and "HX-Request" not in request.headers:
            return _unsent()
        wanted = None if request.endpoint == "pages.sign_out" else _here()
        return redirect(url_for("pages.sign_in", next=wanted), 303)
    code = error.code or 500
    return page("error", code, code=code, detail=too_large() if code == 413 else said(error))


def _unsent() -> AnyResponse:
    """What was typed into a form that nobody could be let in with, to go on with once one is signed in."""
    if not session.is_of_this_site() or not 0 < (request.content_length or 0) <= _LARGEST_UNSENT:
        return redirect(url_for("pages.sign_in", next=_here()), 303)
    return page("unsent", 401, fields=list(request.form.items(multi=True)))


_LARGEST_UNSENT = 2**20
"""Bytes of a form that are kept for who has to sign in first: a draft of a pack fits."""

_DOORS = frozenset({"pages.sign_in", "pages.ask_provider", "pages.come_from_provider"})
"""Where who is not let in is told why."""


def most_mib() -> int:
    """How much a form may send, in MiB."""
    return settings().max_body_bytes // 2**20


def most_bytes() -> int:
    """How large a file of a form may be."""
    return settings().max_body_bytes - _FRAME


_FRAME = 4_096
"""Bytes of a request beside its file, more or less."""


def too_large() -> Title:
    """How much may be sent here, and what is left to who has more."""
    most = most_mib()
    return Title(
        f"文件超过{most}MiB,请拆分后分次报送,或请系统管理员用命令行导入",
        f"the file has more than {most} MiB: send it in parts, or have the operator take it by command",
    )


@blueprint.errorhandler(Exception)
def _unexpected(error: Exception) -> Response:
    observe.log_failure(error)
    number = current().request_id
    told = Title(f"请把这个编号告诉管理员:{number}", f"tell the operator this number: {number}")
    return page("error", 500, code=500, detail=told)
