"""``xinheng score --propose``, ``proposals`` and ``notices``: from the proposal to the pages for paper."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.conftest import Command
from cli.market import AS_OF
from rules.calendar import add_days, today
from scoring.store import open_store
from scoring.store.proposals import Proposal

STRICT = "strict.yaml"


@pytest.fixture
def own(market: Path, graded: Path, tmp_path: Path) -> str:
    """A copy of the graded market, and a stricter pack beside it."""
    shutil.copy(graded, tmp_path / "own.db")
    text = (market / "market.yaml").read_text("utf-8").replace("start: 80", "start: 40")
    (tmp_path / STRICT).write_text(text, encoding="utf-8")
    return f"sqlite:///{tmp_path / 'own.db'}"


def test_a_pack_is_proposed_told_answered_and_published(command: Command, own: str, tmp_path: Path) -> None:
    strict, here = str(tmp_path / STRICT), ("--database", own)
    made = command("score", "--pack", strict, "--as-of", AS_OF, "--propose", 10, "--format", "json", *here)
    (row,) = json.loads(made.stdout)
    assert (row["state"], row["until"]) == ("open", add_days(today(), 10).isoformat())
    assert row["falls"] >= 1
    number = row["id"]
    runs = json.loads(command("runs", "--format", "json", *here).stdout)
    assert len(runs) == 1
    held = command("score", "--pack", strict, "--as-of", AS_OF, *here)
    assert (held.exit_code, f"proposal {number} of market" in held.output) == (1, True)
    folder = tmp_path / "notices"
    written = command("notices", "--proposal", number, "--out", folder, "--format", "json", *here)
    names = {file["subject_id"] for file in json.loads(written.stdout)}
    assert {path.stem for path in folder.iterdir()} == names
    told = min(names)
    page = (folder / f"{told}.html").read_text("utf-8")
    for said in (
        "等级拟下降告知书",
        "Notice that a grade would fall",
        row["until"],
        "基准分由 80 分改为 40 分",
    ):
        assert said in page
    shown = json.loads(command("proposals", "list", "--format", "json", *here).stdout)[0]
    assert shown["told"] == shown["falls"]
    assert command("proposals", "answer", number, told, "--text", "有异议", *here).exit_code == 0
    falls = json.loads(command("proposals", "show", number, "--format", "json", *here).stdout)
    assert {fall["subject_id"]: fall["answers"] for fall in falls}[told] == ["有异议"]
    early = command("proposals", "publish", number, *here)
    assert (early.exit_code, "published after that day" in early.output) == (1, True)
    store = open_store(own)
    with store.writing() as session:
        session.execute(sa.update(Proposal).values(until=add_days(today(), -1)))
    store.close()
    assert "run 2" in command("proposals", "publish", number, *here).output
    again = command("notices", "--run", 2, "--subject", told, "--out", tmp_path / "one", *here)
    assert again.exit_code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == [f"{told}.html"]
    assert "等级下降告知书" in (tmp_path / "one" / f"{told}.html").read_text("utf-8")


def test_a_proposal_is_withdrawn_with_its_reason(command: Command, own: str, tmp_path: Path) -> None:
    strict, here = str(tmp_path / STRICT), ("--database", own)
    command("score", "--pack", strict, "--as-of", AS_OF, "--propose", 10, *here)
    assert command("proposals", "withdraw", 1, *here).exit_code == 2
    assert command("proposals", "withdraw", 1, "--reason", "规则有误", *here).exit_code == 0
    assert command("proposals", "publish", 1, *here).exit_code == 1
    assert command("score", "--pack", strict, "--as-of", AS_OF, *here).exit_code == 0


def test_every_pack_but_the_one_that_is_held_is_graded(command: Command, tmp_path: Path) -> None:
    from fixtures.small import AS_OF as DAY
    from fixtures.small import small_store

    store = small_store()
    here = ("--database", store.engine.url.render_as_string())
    store.close()
    command("score", "--pack", "tourism-credit", "--as-of", DAY, "--propose", 10, *here)
    done = command("score", "--as-of", DAY, *here)
    assert done.exit_code == 0
    assert "tourism-credit" in done.output
    assert "拟发布评价1号征求意见至" in done.output


@pytest.mark.parametrize(
    "line",
    [
        ("score", "--propose", 0),
        ("score", "--propose", 91),
        ("score", "--propose", 3, "--full"),
        ("notices",),
        ("notices", "--run", 1, "--proposal", 1),
    ],
)
def test_what_makes_no_sense_together_is_bad_usage(
    command: Command, own: str, line: tuple[object, ...]
) -> None:
    assert command(*line, "--database", own).exit_code == 2


def test_what_is_not_there_is_said(command: Command, own: str) -> None:
    here = ("--database", own)
    for line in (("notices", "--proposal", 9), ("proposals", "show", 9), ("notices", "--run", 9)):
        done = command(*line, *here)
        assert (done.exit_code, "9" in done.output) == (1, True), line
    assert json.loads(command("notices", "--run", 1, "--format", "json", *here).stdout) == []
