"""The main job on the sample district, from its files to explained grades, and again."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import Command
from fixtures.district import write_district


def test_the_demo_grades_and_explains_and_can_be_run_again(tmp_path: Path, command: Command) -> None:
    write_district(tmp_path / "district", enterprises=240, records=6000)  # the demo goes on from there
    first = command("demo", "--directory", tmp_path)
    assert first.exit_code == 0
    for pack in ("department-credit", "enterprise-credit", "rural-credit", "tourism-credit"):
        assert f"{pack} 2026.1\t2026-07-31" in first.stdout
    assert first.stdout.count("等级 Tier") == 3
    assert "一票否决与等级限制 Vetoes and limits of the tier" in first.stdout
    assert "下一步 next: export XINHENG_DATABASE_URL=sqlite:///" in first.stdout
    assert "quarantined in" in first.stderr
    assert "subjects judged" in first.stderr
    again = command("demo", "--directory", tmp_path)
    assert again.exit_code == 0
    assert "enterprise: 13 files, 0 new rows, 0 corrected" in again.stderr
    url = f"sqlite:///{tmp_path / 'xinheng.db'}"
    runs = json.loads(command("runs", "--database", url, "--format", "json").stdout)
    assert [run["id"] for run in runs] == list(range(8, 0, -1))
    assert {run["as_of"] for run in runs} == {"2026-06-30", "2026-07-31"}
    alerts = json.loads(command("alerts", "list", "--database", url, "--format", "json").stdout)
    assert alerts, "a regulator finds something to work on"
    shown = command("report", "--database", url, "--as-of", "2026-07-31").stdout
    assert "融资信用服务平台 Lending platform" in shown
