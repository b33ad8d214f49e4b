"""``xinheng deliveries``: a receiver is added, its secret printed once, paused, tried again and ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cli.conftest import Command

HUB = ("区政务服务平台", "--address", "https://hub.example/changes")


def test_a_receiver_is_added_paused_resumed_given_another_secret_and_ended(
    command: Command, graded: Path, tmp_path: Path
) -> None:
    shutil.copy(graded, tmp_path / "own.db")
    here = ("--database", f"sqlite:///{tmp_path / 'own.db'}")

    def state() -> str:
        (row,) = json.loads(command("deliveries", "list", "--format", "json", *here).stdout)
        return str(row["state"])

    added = command("deliveries", "add", *HUB, "--kind", "record_repaired", *here)
    renewed = command("deliveries", "renew", 1, *here)
    for shown in (added, renewed):
        assert (shown.exit_code, shown.stdout[:6], shown.stdout.count("\n")) == (0, "whsec_", 1)
    assert added.stdout != renewed.stdout
    for step, after in {"pause": "paused", "resume": "active", "end": "ended"}.items():
        assert command("deliveries", step, 1, *here).exit_code == 0
        assert state() == after
    for words, right in {
        ("pause", "1"): "has ended",
        ("resume", "9"): "there is no subscription 9",
        ("add", "x", "--role", "lender", "--organisation", "无此行"): "needs a key first",
        ("add", "x", "--after", "x"): "place",
    }.items():
        refused = command("deliveries", *words, *here)
        assert (refused.exit_code, right in refused.stderr) == (1, True), refused.stderr
