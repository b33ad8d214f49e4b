"""The sample district at work: from its files to explained grades and what people do with them, and again."""

from __future__ import annotations

import http.cookiejar
import json
import re
import shlex
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from waiting import until

from cli.conftest import PROGRAM, Command
from fixtures.district import write_district
from scoring.store import open_store
from scoring.tickets.desk import move_ticket

KEPT_ANEW = ("live_grades", "live_scans", "live_scans_begun", "audit_entries", "audit_head")
"""What a scan notes of itself, and the log of that."""


class District(NamedTuple):
    """Where a demo was, and what it said."""

    directory: Path
    url: str
    said: str
    told: str


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory, command: Command) -> District:
    """A small district, after one demo."""
    directory = tmp_path_factory.mktemp("demo")
    write_district(directory / "district", enterprises=240, records=6000)  # the demo goes on from there
    first = command("demo", "--directory", directory)
    assert first.exit_code == 0, first.output
    return District(directory, f"sqlite:///{directory / 'xinheng.db'}", first.stdout, first.stderr)


def test_the_demo_grades_and_explains(district: District, command: Command) -> None:
    for pack in ("department-credit", "enterprise-credit", "rural-credit", "tourism-credit"):
        assert f"{pack} 2026.1\t2026-07-31" in district.said
    assert district.said.count("等级 Tier") == 3
    assert "一票否决与等级限制 Vetoes and limits of the tier" in district.said
    assert "quarantined in" in district.told
    assert "subjects judged" in district.told
    runs = json.loads(command("runs", "--database", district.url, "--format", "json").stdout)
    assert [run["id"] for run in runs] == list(range(12, 0, -1))
    days = sorted({run["as_of"] for run in runs})
    assert (days[:2], len(days)) == (["2026-06-30", "2026-07-31"], 3), "and the day of the demo"
    shown = command("report", "--database", district.url, "--as-of", "2026-07-31").stdout
    assert "融资信用服务平台 Lending platform" in shown


@pytest.mark.parametrize(
    ("line", "least"),
    [
        ("alerts list", 3),
        ("tickets list --overdue", 1),
        ("tickets list --stage supervised", 1),
        ("tickets list --stage evaluated", 1),
        ("visits list", 2),
        ("visits list --state made", 1),
        ("consents list", 2),
        ("objections list", 2),
        ("objections list --open", 1),
        ("repairs list --open", 1),
        ("rules proposed", 1),
    ],
)
def test_people_find_something_in_every_list(
    district: District, command: Command, line: str, least: int
) -> None:
    found = json.loads(command(*line.split(), "--database", district.url, "--format", "json").stdout)
    assert len(found) >= least


def test_an_alert_is_somebodys_and_the_lender_was_answered_and_refused(district: District) -> None:
    rows = _rows(district.url)
    assert any(row["assigned_to"] == "周审核（虚构）" for row in rows["alerts"])
    checks = [json.loads(row["details"]) for row in rows["audit_entries"] if row["action"] == "lender.check"]
    assert {check["outcome"] for check in checks} == {"answered", "refused"}, "no grade is too old to rely on"
    assert {check["consent_id"] for check in checks} > {None}, "two of the lender's own consents are asked by"


def test_what_the_demo_wrote_says_that_it_is_an_example(district: District) -> None:
    rows = _rows(district.url)
    said = [row["title"] for row in rows["problems"]]
    said += [row["reason"] for name in ("record_marks", "installations") for row in rows[name]]
    said += [row["findings"] or "样例" for row in rows["visits"]]
    assert said
    assert all(text.startswith("样例") for text in said)
    assert all(row["owner"].endswith("（虚构）") and row["expires_at"] for row in rows["api_keys"])


def test_a_repair_waits_for_a_second_person(district: District, command: Command) -> None:
    (case,) = json.loads(
        command("repairs", "list", "--open", "--database", district.url, "--format", "json").stdout
    )
    marks = [row for row in _rows(district.url)["record_marks"] if row["record_id"] == case["record_id"]]
    assert [mark["kind"] for mark in marks] == ["application", "admission"]
    assert len({mark["made_by"] for mark in marks}) == 1, "whoever did both may not decide as well"


def test_the_regulator_who_signs_in_may_approve_the_draft_and_decide_the_repair(district: District) -> None:
    rows = _rows(district.url)
    owners = {row["prefix"]: row["owner"] for row in rows["api_keys"]}
    (proposed,) = rows["installations"]
    done = {mark["made_by"] for mark in rows["record_marks"] if mark["kind"] in ("application", "admission")}
    assert "周审核（虚构）" not in {owners[by] for by in (proposed["proposed_by"], *done)}


def test_each_reader_is_told_what_to_look_at(
    district: District, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reader in ("监管人员 regulator", "部门 department", "金融机构 lender", "被评价主体 subject"):
        assert reader in district.said
    assert f"export XINHENG_DATABASE_URL={district.url}" in district.said
    monkeypatch.setenv("XINHENG_DATABASE_URL", district.url)
    told = district.said.partition("下一步 next")[2]
    lines = re.findall(r"xinheng ((?!demo)[^;\n]+)", told)
    assert len(lines) >= 8
    for line in lines:
        result = command(*shlex.split(line))
        assert result.exit_code == 0, result.output
        assert result.stdout.count("\n") > 1 or "audit" in line, f"{line} shows nothing"


def test_a_second_demo_changes_nothing(district: District, command: Command) -> None:
    before = _rows(district.url)
    again = command("demo", "--directory", district.directory)
    assert again.exit_code == 0, again.output
    assert "enterprise: 13 files, 已导入 taken in before" in again.stderr
    assert again.stdout.partition("下一步 next")[2] == district.said.partition("下一步 next")[2]
    after = _rows(district.url)
    assert [name for name in before if name not in KEPT_ANEW and before[name] != after[name]] == []


def test_a_demo_that_was_stopped_goes_on_where_it_stopped(
    district: District, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever presses Ctrl-C between two of a ticket's steps finds the ticket whole after the next demo."""
    write_district(tmp_path / "district", enterprises=240, records=6000)
    moves = iter(range(3))

    def stopped(*arguments: Any, **options: Any) -> Any:
        if next(moves, None) is None:
            raise KeyboardInterrupt
        return move_ticket(*arguments, **options)

    with monkeypatch.context() as stopping:
        stopping.setattr("scoring.cli.demo.tickets.move_ticket", stopped)
        assert command("demo", "--directory", tmp_path).exit_code != 0
    assert command("demo", "--directory", tmp_path).exit_code == 0
    here, there = _rows(f"sqlite:///{tmp_path / 'xinheng.db'}"), _rows(district.url)
    for name in ("problems", "problem_steps", "record_marks", "visits", "consents", "installations"):
        assert len(here[name]) == len(there[name]), name


def test_a_demo_leaves_a_store_alone_that_no_demo_made(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = f"sqlite:///{tmp_path / 'xinheng.db'}"
    assert command("db", "upgrade", "--database", other).exit_code == 0
    before = (tmp_path / "xinheng.db").read_bytes()
    refused = command("demo", "--directory", tmp_path)
    assert refused.exit_code == 1
    assert "不是样例数据库" in refused.stderr
    assert [path.name for path in tmp_path.iterdir() if "xinheng.db" not in path.name] == []
    assert (tmp_path / "xinheng.db").read_bytes() == before


def test_each_address_of_a_served_demo_signs_its_reader_in(district: District) -> None:
    with _taken(8000), _served(district.directory) as (said, server):
        assert "端口8000已被占用" in said
        doors = re.findall(r"(\S+（虚构）): (http://127\.0\.0\.1:\d+/demo/sign-in\?pass=\S+)", said)
        assert len({address for _, address in doors}) == 5
        pages = re.findall(r"^  页面 pages: (.+)$", said, re.MULTILINE)
        for (owner, address), shown in zip(doors, pages, strict=True):
            visitor = urllib.request.build_opener(
                urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
            )
            assert owner in _opened(visitor, address)
            for path in re.findall(r"(?:^| )(/\S+)", shown):
                _opened(visitor, address.partition("/demo/")[0] + path)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{doors[0][1]}0")
        server.terminate()
        log, _ = server.communicate(timeout=60)
    assert '"path":"/demo/sign-in"' in log
    passes = [address.partition("pass=")[2] for _, address in doors]
    kept = json.dumps(_rows(district.url)["audit_entries"], default=str)
    assert not [given for given in passes if given in log or given in kept]


def _rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that a store keeps, by table."""
    with closing(open_store(url)) as store, store.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {
            name: [dict(row) for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings()]
            for name in names
        }


@contextmanager
def _taken(port: int) -> Iterator[None]:
    """Somebody else listens at a port, whoever that is."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            other.bind(("127.0.0.1", port))
            other.listen()
        yield


@contextmanager
def _served(directory: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """What a demo that serves says on the way, and its server, which answers."""
    line = [str(PROGRAM), "demo", "--directory", str(directory), "--serve"]
    files = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(line, text=True, encoding="utf-8", **files) as server:  # type: ignore[call-overload]
        said = ""
        try:
            while "Started worker-2" not in said:
                said += server.stdout.readline()
                assert server.poll() is None, said
            port = int(re.findall(r"http://127\.0\.0\.1:(\d+)/demo/", said)[0])
            until(lambda: _listens(port), "the server's first answer")
            yield said, server
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    """A worker that has started may not listen yet."""
    with socket.socket() as visitor:
        return visitor.connect_ex(("127.0.0.1", port)) == 0


def _opened(visitor: urllib.request.OpenerDirector, address: str) -> str:
    with visitor.open(address) as answer:
        assert answer.status == 200
        assert "sign-in" not in answer.url, f"nobody is signed in at {address}"
        return str(answer.read(), "utf-8")
