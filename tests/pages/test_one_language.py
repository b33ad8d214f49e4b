"""Who reads Chinese finds no English and no code, who reads English no Chinese sentence: on no page, in no
answer to a form, for no role.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import repairing
import town
from databases import MadeOnce
from flask import Flask
from test_record_proposal_pages import closed
from test_ticket_pages import seen
from town import AUTHORITY, FINED, LENDER, LISTED, SUMMER, make_town
from walker import BROWSER, Words, form_token, read, visitor, walk

from api.app import create_app
from api.pages.repairs import COMMITMENT
from api.settings import Settings
from rules.articles import in_english
from rules.library.loader import find_pack, installed_packs, load_vocabulary
from rules.library.sanctions import sanctions
from rules.titles import Title
from scoring.access.keys import Role, create_key
from scoring.facts.consequences import NewConsequence, enter_consequence, lift_consequence
from scoring.runs.leases import RUNS, SCANS, at_work, take_lease
from scoring.runs.proposals import propose, withdraw_proposal
from scoring.store import Store, StoreError, open_store
from scoring.store.access import EVERY_PACK
from scoring.store.inspections import RefusedVisit
from scoring.store.packs import text_of

WORDS = load_vocabulary("enterprise")
HAN = "\u3400-\u9fff"
ORGANISATIONS = {Role.DEPARTMENT: AUTHORITY, Role.LENDER: LENDER, Role.SUBJECT: LISTED}
STARTS = {
    None: ("/sign-in", "/verify", "/verify-report", "/nowhere"),
    **dict.fromkeys(Role, ("/", "/nowhere", "/alerts", "/overview")),
    Role.REGULATOR: ("/", "/verify", "/verify?code=1", "/subjects?search=zzz", "/alerts?state=withdrawn"),
}
REFUSED = (
    ("/tickets", {"source": "x"}),
    ("/tickets/1/steps", {"request": "evaluate", "satisfied": "yes"}),
    ("/tickets/1/steps", {"request": "assign", "owner": "样例镇"}),
    ("/consequences", {"subject_id": LISTED, "office": AUTHORITY, "clause": "x", "record_id": "L-1"}),
    ("/visits", {"subject_id": "1"}),
    ("/repairs", {"record": "P-2", "vocabulary": "enterprise", "committed_on": "x"}),
    ("/simulation", {"as_of": "x"}),
    ("/simulation", {"as_of": "2026-07-31", "pack": "enterprise-credit@2026.2"}),
    ("/verify-report", {"number": "1", "code": "1"}),
    ("/inspections", {"month": "x"}),
    ("/files", {}),
    ("/files/1/undo", {}),
    ("/rules/drafts", {"begins": "x"}),
    ("/rules/drafts/proposal", {"begins": "2027-01-01"}),
    ("/rules/trials", {"back": "x"}),
    ("/rules/trials/1/end", {}),
)
"""What a regulator sends that is refused, or answered by a page that has no address."""

EMPTY = re.compile("(?:暂无|尚无|没有|无|None|There are none|Nothing|Nobody)[^，；,;:：]{0,12}[。.]?")
"""What says no more than that there is nothing."""

CODE = ("code",)
"""Tags that hold numbers: of records and subjects, ids of rules, prefixes of keys, hashes. None is a word,
but for what is looked for there (:data:`NO_CODE`)."""
NO_CODE = re.compile(r"xinheng|cli:|[A-Za-z]{3,} [A-Za-z]{3,}")
LATIN = {
    r"信衡|Xinheng": "the product's name",
    r"[0-9A-Z]{15,18}|BM\d|ZF\d|WT-\d+|DQ-\d|(SQ|BM\d|P|L|Q)-[\d-]+|JK-[\d-]+|\d{8}-[A-Z]{8}": "numbers",
    r"https?://\S+|(?<=无权打开)/\S+|(?<=凭码核验： )/\S+": "addresses",
    r"(?<![A-Za-z])(PDF|YAML|DMN|PMML|CSV|XLSX?|xlsx|SHA-256|GB/T|(?<=\d)MiB)(?![A-Za-z])": "formats",
    r"(?<![A-Za-z])AAA?(?![A-Za-z])": "tiers of farm households",
    r"xh_|(?<= · )[a-z2-9]{10}$": "keys: how they begin, and what one is known by",
}
"""What stands in Latin letters for who reads Chinese → why."""
HELD_CHINESE = {
    "信衡": "the product's name",
    "一般": "a rating of customs, as a note quotes it",
    "8号": "a document's number",
    COMMITMENT: "a commitment is made in Chinese: its text goes to the office",
    "区信用中心": "an office's name",
}
"""What stands in Chinese for who reads English → why. Names of laws, offices, enterprises, and what persons
have typed, are added (:func:`named`)."""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> Iterator[Store]:
    """The town with something on every page: measures lifted in each way, proposals, a class to confirm."""
    made = made_once("town", lambda folder: make_town(f"sqlite:///{folder / 'town.db'}"))
    folder = tmp_path_factory.mktemp("one_language")
    store = open_store(f"sqlite:///{shutil.copy(made / 'town.db', folder)}")
    _lift(store)
    closed(store, "DQ-1")
    pack = find_pack("enterprise-credit", SUMMER)
    text, start = text_of(pack), pack.score.start // 100
    lower = replace(text, text=text.text.replace(f"start: {start}", f"start: {start - 10}", 1), file="x.yaml")
    first = propose(store, lower.load(), SUMMER, 10, "样例", text=lower)
    withdraw_proposal(store, first.id, "样例", "样例")
    _fail(store)
    propose(store, lower.load(), SUMMER, 10, "样例", text=lower)
    yield store
    store.close()


def _fail(store: Store) -> None:
    """A run and a scan that failed, and a visit that a plan could not have."""
    full = Title("库所在磁盘已满", "the disk of the store is full")
    for kind, of in ((RUNS, "enterprise-credit"), (SCANS, EVERY_PACK)):
        job = take_lease(store, kind, "cli:李", pack_id=of, as_of=SUMMER)
        with suppress(StoreError), at_work(store, kind, job.id, "snapshot"):
            raise StoreError(full)
    why = Title("无事不扰，无投诉举报的不检查", "visited only where somebody complained").both
    old = "本月已有检查 a visit of this month has its code already"
    with store.writing() as session:
        for no, reason in enumerate((why, old), 1_000):
            session.add(RefusedVisit(plan_id=1, no=no, subject_id=LISTED, reason=reason))


def _lift(store: Store) -> None:
    measure = NewConsequence(FINED, AUTHORITY, "procurement", "P-2", "样例", SUMMER, "样例")
    for clause in ("procurement", "tendering"):
        enter_consequence(store, WORDS, replace(measure, clause=clause))
    other = enter_consequence(store, WORDS, replace(measure, clause="publication"))
    lift_consequence(store, other.id, "样例", "样例", SUMMER)
    repairing.repair(store, WORDS, "P-2", SUMMER.replace(month=10), "样例")


@pytest.fixture(scope="module")
def site(lived_in: Store) -> Flask:
    return create_app(Settings(log_level="error"), lived_in)


def _key(store: Store, role: Role | None) -> str | None:
    return create_key(store, role, "样例", ORGANISATIONS.get(role)).token if role else None


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", STARTS, ids=str)
def test_every_page_is_in_one_language(
    site: Flask, lived_in: Store, role: Role | None, language: str
) -> None:
    client = visitor(site, language, _key(lived_in, role))
    read_there = [(words, path) for path, page in walk(site, client, STARTS[role]) for words in page]
    foreign = {words: path for words, path in read_there if is_foreign(words, language)}
    assert not foreign
    bare = {words: path for words, path in read_there if words.is_whole and EMPTY.fullmatch(words.text)}
    assert not bare, "an empty table says what would stand there, and what to do next"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("path", "form"), REFUSED, ids=[f"{n} {path}" for n, (path, _) in enumerate(REFUSED)]
)
def test_every_answer_to_a_form_is_in_one_language(
    site: Flask, lived_in: Store, path: str, form: dict[str, str], language: str
) -> None:
    client = visitor(site, language, _key(lived_in, Role.REGULATOR))
    token = form_token(client, "/tickets")
    answer = client.post(path, data={"form_token": token, **seen(client, path), **form}, headers=BROWSER)
    assert answer.mimetype == "text/html"
    assert answer.status_code != 303, "it was done"
    assert [words for words in read(answer.text).words if is_foreign(words, language)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_file_is_looked_at_taken_and_taken_back_in_one_language(
    site: Flask, lived_in: Store, language: str
) -> None:
    client = visitor(site, language, _key(lived_in, Role.REGULATOR))
    token = form_token(client, "/tickets")
    rows = [f"W-{n},{code},行政处罚,一般,有效,罚款,2026-03-05,x" for n, code in enumerate((FINED, "1"))]
    head = "记录编号,统一社会信用代码,类别,失信程度,状态,等级,决定日期,备用列"

    def send(path: str, **form: object) -> str:
        answer = client.post(path, data={"form_token": token, **form}, headers=BROWSER)
        assert answer.status_code == 303
        return answer.location

    def foreign(path: str) -> list[Words]:
        found = read(client.get(path, headers=BROWSER).text).words
        return [words for words in found if is_foreign(words, language)]

    table = io.BytesIO("\n".join([head, *rows, language]).encode())
    place = send("/files", file=(table, "一月.csv"))
    assert foreign(place) == []
    none = send("/files", file=(io.BytesIO(b"%PDF-1.4"), "一月.pdf"))
    assert foreign(none) == []
    taken = send(place, previewed="0-0-0-0")
    assert foreign(taken) == []
    assert foreign(send(f"{taken.split('?')[0]}/undo", reason="样例")) == []
    assert foreign("/files") == []


def is_foreign(words: Words, language: str) -> bool:
    """Whether a text holds words that its reader need not know."""
    if words.within.endswith("!"):  # it quotes a pack, and says so
        return False
    if language == "en":
        rest = words.text
        for name in named():
            rest = rest.replace(name, "")
        return re.search(f"[{HAN}§、’]", rest) is not None
    if words.within.split(".")[0] in CODE:
        return NO_CODE.search(words.text) is not None
    rest = re.sub("|".join(LATIN), "", words.text)
    return re.search("[A-Za-z]{2,}|§", rest) is not None


@cache
def named() -> list[str]:
    """Names of laws, and what the town's people have typed; the longest first."""
    typed = {
        node.value
        for module in (town, repairing)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    laws = {name for pack in installed_packs() for basis in pack.bases for name in (basis.title, basis.short)}
    laws |= {in_english(clause.basis).split(" art. ")[0] for clause in sanctions().clauses.values()}
    names = {name for name in typed | laws if re.search(f"[{HAN}]", name)}
    return sorted(names | set(HELD_CHINESE), key=len, reverse=True)


OPERATORS = ("scoring/cli/", "scoring/store/", "scoring/access/anchors.py", "scoring/runs/country/")
"""What tells whoever works with the command line alone."""
BY_KIND = {"StoreError", "NothingKnownError"}
"""Errors of which a page says no more than that the store can't be used."""


def test_no_page_names_a_command_or_its_option() -> None:
    """What is to be typed is apart from what is said: ``TitledError.command``, ``IngestError.option``."""
    root = Path(__file__).parents[2]
    named = {}
    for path in (path for room in ("api", "scoring", "rules") for path in (root / room).rglob("*.py")):
        place = path.relative_to(root).as_posix()
        if not place.startswith(OPERATORS):
            calls = [
                node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
            ]
            apart = {id(each) for call in calls if _called(call) in BY_KIND for each in ast.walk(call)}
            said = [ast.unparse(call) for call in calls if _called(call) == "Title" and id(call) not in apart]
            named[place] = [text for text in said if re.search(r"--[a-z]|xinheng [a-z]", text)]
    assert {place: texts for place, texts in named.items() if texts} == {}


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


RETIRED = re.compile(
    r"""["'>“][^"'\n]*(?:规则包|起评分|试评|没有办成|不能登录|信易贷平台|屡罚不改|主动上门检查|工商登记)"""
)
"""What officials say otherwise; beside aliases of files."""


def test_no_word_that_officials_say_otherwise_comes_back() -> None:
    root = Path(__file__).parents[2]
    files = [path for room in ("api", "scoring", "rules") for path in (root / room).rglob("*.*")]
    texts = [path for path in files if path.suffix in (".py", ".html")]
    found = {path.name: RETIRED.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert {name: words for name, words in found.items() if words} == {}


def test_what_could_not_be_compared_is_said_as_an_office_says_it() -> None:
    """Which text was not at hand, and what is to be compared: not how somebody came to write it."""
    root = Path(__file__).parents[2]
    files = [*(root / "rules/library").rglob("*.yaml"), *(root / "api/pages/templates").rglob("*.html")]
    read_there = {path.name: re.sub(r"(?m)(^|\s)#.*$", "", path.read_text("utf-8")) for path in files}
    assert [name for name, text in read_there.items() if "记忆" in text or "memory" in text] == []
