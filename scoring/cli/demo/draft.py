"""A draft of a pack that waits for somebody else's approval."""

from __future__ import annotations

import re
from pathlib import Path

from rules.calendar import add_months, today
from scoring.access.keys import Key
from scoring.cli.output import write_whole
from scoring.rulemaking.desk import By, list_proposed, propose_pack
from scoring.rulemaking.draft import examine
from scoring.store import Store
from scoring.store.packs import text_of
from scoring.store.rulebook import known_packs

_REASON = "样例：A级门槛提高1分，供讨论"
_BEST = re.compile(r"(?m)^(  - \{tier: A, .*from: )(\d+)(\})$")


def propose_draft(store: Store, pack_id: str, by: Key, directory: Path) -> None:
    """Propose a version of a pack in which its best tier is a point harder to reach.

    :param by: the key of who proposes it: somebody else may approve it.
    :param directory: where the draft is written.
    """
    if any(found.reason == _REASON for found in list_proposed(store)):
        return
    last = [pack for pack in known_packs(store) if pack.id == pack_id][-1]
    begins = add_months(max(today(), last.in_force_from).replace(day=1), 2)
    text = _BEST.sub(lambda match: f"{match[1]}{int(match[2]) + 1}{match[3]}", text_of(last).text, count=1)
    for field, value in (("version", f'"{begins:%Y.%m}-sample"'), ("in_force", f"{{from: {begins}}}")):
        text = re.sub(rf"(?m)^{field}: .*$", f"{field}: {value}", text, count=1)
    path = directory / "draft.yaml"
    write_whole(path, text)
    draft = examine(store, text, str(path), begins, today())
    propose_pack(store, draft, _REASON, By(by.prefix, by.role.value), today())
