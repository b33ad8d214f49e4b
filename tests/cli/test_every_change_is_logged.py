"""Whatever a person changes by a command is in the audit log: none is left out, nor can a new one be."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from store.test_backup import TOOLS

from cli.conftest import commands
from cli.market import AS_OF, PACK
from cli.test_plan import SUPERVISION, code
from fixtures.small import AS_OF as SMALL_ON
from fixtures.small import small_files
from rules.calendar import add_days, add_months, today
from rules.library.loader import PACKS, find_pack
from scoring.access import consents
from scoring.access.audit import Entry, entries, verify
from scoring.access.consents import Registration
from scoring.access.keys import Role, Who
from scoring.cli import main
from scoring.cli.ingest import list_command, undo_command
from scoring.runs.batch import run
from scoring.store import Store, open_store
from scoring.store.proposals import Proposal
from scoring.tickets import desk

READS = set(
    """
    alerts list | audit list | audit verify | backtest | consents lenders | consents list | consequences list
    consequences measures | deliveries list | departments consequences | departments ranking | drift | explain
    forecast | ingest list | keys list | notices | objections figures | objections list
    objections show | paths | proposals list | proposals show | records contradictions | records proposals
    repairs figures | repairs list | repairs show | repeat-offences | replay | report | rules coverage
    rules diff | rules docs | rules export | rules fmt | rules import | rules lint | rules proposed
    rules prove | rules test | runs | simulate | tickets list | tickets show | trials list | trials nights
    trials rules | trials show | visits figures | visits idle | visits list
    """.replace("\n", "|").split("|")
)
READS = {" ".join(name.split()) for name in READS if name.strip()}
"""Commands that change nothing in a store. One that is in neither list is a fault: say here that it only
reads, or let it be typed below."""
NOT_TYPED = {"demo", "serve"}
"""They are no changes: the demo does what others do, in a store of its own, and a request logs itself."""
OTHERWISE = {
    "audit anchor": "audit.anchor",
    "backup": "store.backup",
    "deliveries send": "deliveries.send",
    "restore": "store.restore",
}
"""What logs itself: a file beside the store is made or put back, or several threads work for a command."""

NO_ROWS = {"consents sample", "keys revoke"}
"""What is drawn stands in the log alone, in an entry of its own; what was given names the key."""
NOTHING_NEW = {"records twins"}
"""What it looks for was found when the file was taken in: nothing changes, and nothing is logged."""

FIRMS = [code(number) for number in range(40)]
DAY = add_months(today(), -5)


def names() -> Iterator[str]:
    """Every command, as it is typed."""
    for path, _ in commands(main):
        yield " ".join(path)
        if path == ("ingest",):  # has commands of its own, which click does not know of
            yield from (f"ingest {own.name}" for own in (list_command, undo_command))


ALL = sorted(names(), key=len, reverse=True)


class Office:
    """A store, and persons who type; what they have typed is known."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.typed, self._patch = url, set[str](), monkeypatch

    def store(self) -> closing[Store]:
        return closing(open_store(self.url))

    def log(self, after: int = 0) -> list[Entry]:
        with self.store() as store:
            return [entry for entry in entries(store) if entry.seq > after]

    def __call__(self, line: str, *words: object, by: str = "li", answer: str = "") -> str:
        """Type a command that changes something, and look for its entry."""
        name = next(name for name in ALL if f"{line} ".startswith(f"{name} "))
        is_of_copy = name == "restore"  # the log as well: it goes on from where the copy was made
        before = self.log()[0].seq if self.typed and not is_of_copy else 0
        self._patch.setenv("LOGNAME", by)
        given = [*line.split(), *map(str, words), "--database", self.url]
        done = CliRunner().invoke(main, given, input=answer)
        assert done.exit_code == 0 or name == "deliveries send", (line, done.output)
        action = OTHERWISE.get(name, f"cli.{name.replace(' ', '.')}")
        found = [entry for entry in self.log(before) if entry.action == action]
        assert found, f"{name} leaves no entry in the log"
        assert {(entry.actor, entry.role) for entry in found} == {(f"cli:{by}", "operator")}
        if name not in OTHERWISE:
            assert {entry.details["command"] for entry in found} == {name}
            has_rows = any(entry.details.get("rows") for entry in found)
            assert has_rows or name in NO_ROWS, (name, found)
        self.typed.add(name)
        return done.output

    def listed(self, line: str) -> list[dict[str, Any]]:
        """Type a command that reads, which leaves no entry."""
        before = self.log()[0].seq
        done = CliRunner().invoke(main, [*line.split(), "--format", "json", "--database", self.url])
        assert done.exit_code == 0, done.output
        assert [entry.action for entry in self.log(before)] == []
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def office(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A store with forty enterprises, graded by the market's pack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("scoring.inspections.office.today", lambda: dt.date(2026, 6, 15))
    dishonest = [
        f"V{n},{firm},seriously_dishonest_listing,,,effective,2026-01-05,甲局,"
        for n, firm in enumerate(FIRMS[:24])
    ]
    fined = [f"XZ-{n},{FIRMS[30]},penalty,,general,effective,{DAY},区城管局," for n in (1, 2, 3)]
    unclear = [f"XZ-9,{FIRMS[31]},penalty,责令关闭,,effective,2026-07-01,区城管局,"]
    twins = [f"HH-{n},{FIRMS[32]},penalty,,minor,effective,2026-07-02,区城管局,500" for n in (1, 2)]
    raised = [
        f"TS-{n},{FIRMS[33]},complaint,upheld,,effective,{add_days(today(), -n)},甲局," for n in (1, 2, 3)
    ]
    head = "record_id,subject_id,kind,level,severity,status,occurred_on,authority,amount\n"
    files = {
        "market.yaml": PACK + SUPERVISION,
        "strict.yaml": PACK.replace("start: 80", "start: 40") + SUPERVISION,
        "企业.csv": "subject_id,name\n" + "".join(f"{firm},企业{firm[-4:]}\n" for firm in FIRMS),
        "记录.csv": head + "\n".join([*dishonest, *fined, *unclear, *twins, *raised]) + "\n",
        "更正.csv": head + f"XZ-3,{FIRMS[30]},penalty,,general,effective,{DAY},区城管局,\n",
        "错报.csv": head + f"CB-1,{FIRMS[34]},award,national,,effective,2026-07-02,甲局,\n",
        "inspectors.csv": "inspector_id,name,authority,monthly_visits,state\n"
        + "".join(f"I{n},某{n},{'甲乙'[n % 2]}局,9,active\n" for n in range(8)),
        "bodies.csv": "subject_id,name,state\nDW101,样例区发展和改革委员会,active\nDW120,区城管局,active\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    typed = Office(database_url, monkeypatch)
    typed("db upgrade")
    typed("ingest", "企业.csv", "--vocabulary", "enterprise")
    typed("ingest", "记录.csv", "inspectors.csv")
    typed("ingest", "bodies.csv", "--vocabulary", "department", "--table", "subject")
    typed("score --pack market.yaml --as-of", AS_OF)
    return typed


def test_every_command_that_changes_something_leaves_its_entry(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for step in (_files, _records, _rules, _runs, _visits, _people, _lending, _tickets, _others):
        step(office, monkeypatch)
    with office.store() as store:
        assert verify(store).faults == ()
    assert office.typed | READS | NOT_TYPED | NOTHING_NEW == set(ALL)
    assert not office.typed & READS


def test_what_a_command_is_refused_leaves_no_entry(office: Office) -> None:
    before = office.log()[0].seq
    refused = (
        "objections decide XZ-1 --upheld --office 区发改局 --reason 无",
        "consents withdraw 7 --reason 无",
        "ingest undo 99 --reason 无",
    )
    for line in refused:
        done = CliRunner().invoke(main, [*line.split(), "--database", office.url])
        assert done.exit_code == 1, done.output
    assert office.log(before) == []


def _files(office: Office, _: pytest.MonkeyPatch) -> None:
    office("ingest", "错报.csv")
    number = office.listed("ingest list")[0]["id"]
    office("ingest undo", number, "--reason", "误报")
    office("feeds --record --on", add_months(today(), 1))


def _records(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    why, proof = ("--reason", "核实无误"), ("--evidence", "JK-1")
    [pair] = office.listed("records twins --search")
    office("records settle", pair["id"], "--keep", "HH-1", *why)
    [waiting] = office.listed("records proposals")
    office("records confirm", waiting["id"], "--as", "serious", *why)
    office("objections file XZ-3", *why, *proof, "--on", add_days(today(), -60))
    office("objections tick")
    office("objections acknowledge XZ-3", *why)
    office("objections decide XZ-3 --upheld --office 区发改局", *why)
    office("ingest", "更正.csv")
    [found] = office.listed("records contradictions")
    office("records resolve", found["id"], "--confirm", *why)
    office("objections file XZ-2", *why, *proof)
    office("objections acknowledge XZ-2", *why)
    office("objections decide XZ-2 --rejected --office 区发改局", *why)
    office("objections appeal XZ-2", *why)
    kept = ("--commitment", "材料属实", "--committed-on", DAY)
    office("repairs apply XZ-1", *why, *proof, *kept, "--on", add_months(DAY, 3))
    office("repairs tick")
    office("repairs return XZ-1", *why)
    office("repairs apply XZ-1", *why, *proof, *kept)
    office("repairs admit XZ-1", *why)
    measure = ("--office", "区城管局", "--clause", "procurement", "--record", "XZ-1")
    office("consequences enter", FIRMS[30], *measure, *why)
    office("consequences lift", 1, *why)
    office("repairs decide XZ-1 --repaired", *why, by="wang")
    office("repairs undo XZ-1", *why, *proof)


def _rules(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8").partition("\nexamples:\n")[0] + "\n"
    text = re.sub(r", tier: [A-D]\}", ", hit: true}", text)
    for name, day in (("x", add_days(today(), 40)), ("y", add_days(today(), 50))):
        draft = re.sub(r"(?m)^version: .*$", f'version: "{name}"', text)
        draft = re.sub(r"(?m)^in_force: .*$", f"in_force: {{from: {day}}}", draft)
        Path(f"{name}.yaml").write_text(draft, encoding="utf-8")
        said = office("rules install", f"{name}.yaml", "--from", day, "--reason", "会议通过")
        (digest,) = re.findall(r"rules approve ([0-9a-f]{12})", said)
        if name == "x":
            office("rules approve", digest, "--reason", "已核对", by="wang", answer="y\n")
            office("rules withdraw", digest, "--reason", "推迟", by="wang")
        else:
            office("rules refuse", digest, "--reason", "过大", by="wang")


def _runs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8").replace("start: 75", "start: 55")
    Path("candidate.yaml").write_text(candidate, encoding="utf-8")
    office("ingest --vocabulary tourism", *small_files())
    office("score --pack tourism-credit --as-of", SMALL_ON)
    office("trials start candidate.yaml --reason 会议")
    with office.store() as store:  # as the service does it, which looks for no candidates
        run(store, find_pack("tourism-credit", SMALL_ON), add_days(SMALL_ON, 1))
    office("trials run")
    office("trials end 1 --reason 完")
    propose = ("score --pack strict.yaml --as-of", add_days(AS_OF, 2), "--propose", 10)
    office(*propose)
    office("proposals withdraw 1 --reason 有误")
    office(*propose)
    fall = office.listed("proposals show 2")[0]
    office("proposals answer 2", fall["subject_id"], "--text", "有异议")
    with office.store() as store, store.writing() as session:
        session.execute(sa.update(Proposal).values(until=add_days(today(), -1)))
    office("proposals publish 2")


def _visits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office("plan inspections --pack market --seed 417 --month", f"{today():%Y-%m}")
    office("visits issue --plan 1")
    party = ("--inspector", "I0", "--inspector", "I2", "--office", "甲局", "--pack", "market")
    why = ("--ground", "emergency", "--why", "泄漏")
    for firm in FIRMS[35:37]:
        office("visits issue --subject", firm, *party, *why)
    made, cancelled = (
        next(one for one in office.listed("visits list") if one["subject_id"] == firm)["code"]
        for firm in FIRMS[35:37]
    )
    office("visits result", made, "--outcome", "passed")
    office("visits rate", made, 3)
    office("visits cancel", cancelled, "--reason", "误报")


def _people(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    said = office("keys create --role regulator --owner 王主任")
    (prefix,) = re.findall(r"(\w+): regulator", said)
    office("keys admit", prefix, "7f3a9c52", "--issuer", "https://id.example.cn")
    said = office("keys rotate", prefix, "--overlap-hours", 1)
    office("alerts rescan")
    number = office.listed("alerts list")[0]["id"]
    office("alerts assign", number, "--to", "王主任")
    office("alerts acknowledge", number)
    office("keys revoke", re.findall(r"(\w+): regulator", said)[0])
    office("credit-report", FIRMS[30], "--out", "report.pdf")


def _lending(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    lender, why = ("--lender", "甲银行"), ("--reason", "抽查")
    office("keys create --role lender --owner 王 --organisation 甲银行")
    terms = ("--purpose", "loan", "--from", today(), "--until", add_months(today(), 6))
    office("consents register --subject", FIRMS[30], *lender, *terms)
    office("consents withdraw 1", *why)
    begun = dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC)
    signed = Registration(FIRMS[31], ["loan"], begun.date(), dt.date(2027, 1, 31), "甲银行", "SQ-1", "a" * 64)
    with office.store() as store:
        consents.register(store, Who("k", Role.LENDER, "甲银行"), signed, clock=lambda: begun)
    office("consents sample --month 2026-08 --seed 417", *lender)
    office("consents judge 2 --missing", *why)
    office("consents lift", *lender, *why)
    office("consents stop", *lender, *why)


def _tickets(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def on(day: str) -> None:
        moment = dt.datetime.fromisoformat(f"{day}T12:00+08:00")
        monkeypatch.setattr(desk, "now", lambda: moment)

    on("2026-06-02")
    office("tickets open --title 增容受阻 --source hotline")
    assign = "tickets move 1 assign --actor office --owner DW101"
    office(assign)
    office("tickets correct 1 2 --note 有误")
    office(assign)
    on("2026-06-25")
    office("tickets tick")
    office("tickets move 1 supervise --actor supervisor")
    office("tickets evaluate 1 --satisfied")


def _others(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office("deliveries add 平台 --address https://hub.example/changes --after 0")
    office("deliveries renew 1")
    office("deliveries pause 1")
    office("deliveries resume 1")
    office("deliveries send")
    office("deliveries end 1")
    office("audit anchor --begin --anchors anchors --key anchor.key")
    office("backup copy")
    office("restore copy --replace")
