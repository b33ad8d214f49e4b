"""``xinheng rules install`` and what follows: a draft becomes law by two persons."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from rules.calendar import today
from rules.library.loader import file_text
from rules.tools.diff import compare
from scoring.access.keys import owners_of
from scoring.cli.options import Day, database_option, operator
from scoring.cli.output import Format, limit_option, listing_options, print_rows, progress, tell
from scoring.cli.rules import CHANGE_TITLES, CHANGES, row_of
from scoring.cli.rules import rules_group as rules_group
from scoring.cli.simulate import print_tables
from scoring.rulemaking import desk
from scoring.rulemaking.desk import By, Proposed
from scoring.rulemaking.draft import Draft, examine, identity_of, movers
from scoring.store import Store, open_store
from scoring.store.rulebook import known_packs

PROPOSED = {
    "pack_id": "评价规则 pack",
    "version": "版本 version",
    "begins": "施行 in force from",
    "state": "状态 state",
    "pack_hash": "规则校验码 hash",
    "reason": "理由 reason",
    "proposed_by": "提交人 proposed by",
    "decided_by": "批准人 decided by",
    "decision": "批准理由 why decided",
    "withdrawn_by": "撤回人 withdrawn by",
    "withdrawal": "撤回理由 why withdrawn",
}
ASKED = "以上差异与变动名单已阅,批准施行? All this is read, and approved?"
digest_argument = click.argument("digest")
reason_option = click.option(
    "--reason", required=True, help="Why; it stands beside the version and in the audit log."
)


@rules_group.command("install")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "begins", type=Day(), required=True, help="The day from which it is to rule.")
@reason_option
@database_option
def install_command(file: Path, begins: dt.date, reason: str, database: str | None) -> None:
    """Propose the draft in FILE as law from a day on; somebody else approves it.

    It is examined first: lint, its own examples, what it changes, and who would move on its first day.

    Example: xinheng rules install draft.yaml --from 2027-01-01 --reason 第3次专题会议通过
    """
    with closing(open_store(database)) as store:
        text = file_text(file).replace("\r\n", "\n")
        draft = examine(store, text, str(file), begins, today())
        _show(store, draft)
        found = desk.propose_pack(store, draft, reason, _me(), today())
    _tell(found)
    tell(f"由他人批准 for somebody else: xinheng rules approve {found.pack_hash[:12]} --reason …")


@rules_group.command("approve")
@digest_argument
@reason_option
@database_option
def approve_command(digest: str, reason: str, database: str | None) -> None:
    """Approve the version of DIGEST, as somebody else than who proposed it.

    What it changes and who would move is shown first, and asked whether it is approved. The version before
    ends where it begins; runs announce it from the next one on.

    Example: xinheng rules approve 0123456789ab --reason 已核对差异与变动名单
    """
    with closing(open_store(database)) as store:
        desk.refuse_own(store, digest, _me())
        draft = desk.draft_of(store, desk.find_proposed(store, digest), today())
        _show(store, draft)
        click.confirm(ASKED, abort=True, err=True)
        _tell(desk.approve_pack(store, digest, reason, _me(), today(), identity_of(draft.before)))


@rules_group.command("refuse")
@digest_argument
@reason_option
@database_option
def refuse_command(digest: str, reason: str, database: str | None) -> None:
    """Refuse to approve the version of DIGEST, as somebody else than who proposed it.

    Example: xinheng rules refuse 0123456789ab --reason 变动面过大
    """
    with closing(open_store(database)) as store:
        _tell(desk.refuse_pack(store, digest, reason, _me()))


@rules_group.command("withdraw")
@digest_argument
@reason_option
@database_option
def withdraw_command(digest: str, reason: str, database: str | None) -> None:
    """Withdraw the version of DIGEST before its first day.

    Example: xinheng rules withdraw 0123456789ab --reason 上级文件推迟施行
    """
    with closing(open_store(database)) as store:
        _tell(desk.withdraw_pack(store, digest, reason, _me(), today()))


@rules_group.command("proposed")
@limit_option(most=1000, default=20)
@database_option
@listing_options
def proposed_command(limit: int, database: str | None, fmt: Format) -> None:
    """List versions that are or were proposed, the newest first, with who decided and why.

    Example: xinheng rules proposed --format json
    """
    with closing(open_store(database)) as store:
        found = desk.list_proposed(store, limit=limit)
        by = {name for one in found for name in (one.proposed_by, one.decided_by, one.withdrawn_by) if name}
        owners = owners_of(store, by)
        titles = {"pack_id": {pack.id: pack.title for pack in known_packs(store)}, "state": desk.STATES}
    rows = ({name: owners.get(value, value) for name, value in asdict(one).items()} for one in found)
    print_rows(rows, PROPOSED, fmt, titles)


def _show(store: Store, draft: Draft) -> None:
    """All that a person has to see before it is law."""
    for finding in draft.findings:
        tell(str(finding), err=False)
    tell(f"示例 examples: {len(draft.examples)}, 未通过 failed: {len(draft.failed)}", err=False)
    for reason in draft.reasons:
        tell(f"不能施行 not law: {reason}", err=False)
    if draft.before is None:  # as well where its name or its day is wrong, which is said above
        if not draft.refusals:
            tell("此前没有施行的版本 no version rules until then", err=False)
        return
    changes = compare(draft.before, draft.pack)
    print_rows((row_of(change, CHANGES) for change in changes), CHANGES, "table", CHANGE_TITLES)
    with progress(f"{draft.before.version} → {draft.pack.version}"):
        result = movers(store, draft)
    if result is None:
        tell("尚无评价对象 nobody is known whom it grades", err=False)
    else:
        print_tables(result, draft.pack)


def _tell(found: Proposed) -> None:
    state = desk.STATES[found.state]
    tell(f"{found.pack_id} {found.version} {state}: {found.begins} {found.pack_hash}", err=False)


def _me() -> By:
    return By(operator(), "operator")
