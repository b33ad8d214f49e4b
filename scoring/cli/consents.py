"""``xinheng consents``: which lender may ask about whom, and the audit of what lenders registered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import click

from scoring.access import consents
from scoring.access.consents import (
    LONGEST_MONTHS,
    PURPOSES,
    VERDICTS,
    ConsentConflictError,
    ConsentError,
    Registration,
    UnknownConsentError,
)
from scoring.access.keys import ROLE_TITLES
from scoring.cli.acting import me
from scoring.cli.options import NUMBER, Day, database_option
from scoring.cli.output import Format, Titles, limit_option, listing_options, print_rows, tell
from scoring.store import Store, open_store

COLUMNS = {
    "id": "编号 no.",
    "lender": "金融机构 lender",
    "subject_id": "主体 subject",
    "reference": "授权书编号 reference",
    "purposes": "用途 purposes",
    "valid_from": "起 from",
    "valid_until": "至 until",
    "registered_role": "登记人 registered by",
    "withdrawn_at": "撤回 withdrawn",
    "verdict": "抽查 audit",
}
TITLES: Titles = {"purposes": PURPOSES, "registered_role": ROLE_TITLES, "verdict": VERDICTS}
LENDERS = {
    "name": "金融机构 lender",
    "consents": "授权 consents",
    "by_subject": "主体登记 by subject",
    "by_district": "区级登记 by district",
    "by_lender": "机构登记 by lender",
    "withdrawn": "撤回 withdrawn",
    "found": "抽查属实 found",
    "missing": "抽查缺失 missing",
    "stopped_at": "停止 stopped",
    "stopped_why": "原因 why",
}
lender_option = click.option("--lender", required=True, help="Which lender.")
reason_option = click.option("--reason", required=True, help="Why; it is kept.")


@click.group("consents")
def consents_group() -> None:
    """Consents of subjects to lenders: register, withdraw, audit by sample."""


@consents_group.command("register")
@click.option("--subject", "subject_id", required=True, help="Whose consent: the credit code.")
@lender_option
@click.option(
    "--purpose", "purposes", multiple=True, required=True, type=click.Choice(list(PURPOSES)),
    help="What the lender may ask for; can be given several times.",
)  # fmt: skip
@click.option("--from", "valid_from", required=True, type=Day(), help="The first day.")
@click.option("--until", "valid_until", required=True, type=Day(), help="The last day.")
@click.option("--reference", help="The number of the signed document; by default one is made.")
@click.option("--sha256", "document_sha256", help="The SHA-256 of the signed document.")
@click.option(
    "--longest-months", envvar="XINHENG_CONSENT_MONTHS", default=LONGEST_MONTHS, show_default=True,
    type=click.IntRange(1, 120), help="The longest term allowed.",
)  # fmt: skip
@database_option
def register(database: str | None, longest_months: int, **wanted: Any) -> None:
    """Register a consent for the district; prints the reference by which the lender names it.

    Example: xinheng consents register --subject 91500159MAXXMDTC5B --lender 甲银行 --purpose loan
    --from 2026-10-01 --until 2027-09-30
    """
    with _store(database) as store:
        made = consents.register(store, me(), Registration(**wanted), longest_months)
    tell(f"{made.id}: {made.lender}, {made.subject_id}, 至 until {made.valid_until}")
    tell(made.reference, err=False)


@consents_group.command("list")
@click.option("--lender", help="Of this lender alone.")
@click.option("--subject", help="Of this subject alone.")
@limit_option()
@database_option
@listing_options
def list_command(
    lender: str | None, subject: str | None, limit: int, database: str | None, fmt: Format
) -> None:
    """List consents, the newest first.

    Example: xinheng consents list --lender 甲银行 --format csv
    """
    with _store(database) as store:
        found = consents.list_consents(store, lender=lender, subject_id=subject, limit=limit)
    print_rows(map(asdict, found), COLUMNS, fmt, TITLES)


@consents_group.command("withdraw")
@click.argument("consent_id", metavar="ID", type=NUMBER)
@reason_option
@database_option
def withdraw(consent_id: int, reason: str, database: str | None) -> None:
    """End the consent of ID: from now on no check is answered under it.

    Example: xinheng consents withdraw 17 --reason 企业来函撤回
    """
    with _store(database) as store:
        done = consents.withdraw(store, me(), consent_id, reason)
    tell(f"{done.id} {done.reference}: 已撤回 withdrawn", err=False)


@consents_group.command("sample")
@lender_option
@click.option("--month", required=True, type=click.DateTime(["%Y-%m"]), help="A month that is over.")
@click.option("--seed", required=True, help="Whoever knows it can draw again.")
@database_option
@listing_options
def sample(lender: str, month: dt.datetime, seed: str, database: str | None, fmt: Format) -> None:
    """Draw, of what a lender registered in a month, the consents whose documents it must show.

    Example: xinheng consents sample --lender 甲银行 --month 2026-10 --seed 417
    """
    with _store(database) as store:
        drawn = consents.sample(store, me(), lender, month.date(), seed)
    print_rows(map(asdict, drawn), COLUMNS | {"document_sha256": "SHA-256"}, fmt, TITLES)


@consents_group.command("judge")
@click.argument("consent_id", metavar="ID", type=NUMBER)
@click.option("--found/--missing", required=True, help="Whether the signed document was found.")
@click.option(
    "--instead-of", type=click.Choice([*VERDICTS]), help="The verdict until now, which is replaced."
)
@reason_option
@database_option
def judge(consent_id: int, found: bool, instead_of: str | None, reason: str, database: str | None) -> None:
    """Note whether the signed document of ID was found. One that is missing stops its lender.

    Example: xinheng consents judge 17 --missing --reason 未能出示授权书
    """
    with _store(database) as store:
        judged = consents.judge(store, me(), consent_id, found, reason, instead_of)
    stopped = "" if found else f"; {judged.lender}: 已停止查询 stopped"
    tell(f"{judged.id} {judged.reference}: {judged.verdict}{stopped}", err=False)


@consents_group.command("lenders")
@database_option
@listing_options
def lenders(database: str | None, fmt: Format) -> None:
    """List the lenders with their consents counted.

    Example: xinheng consents lenders
    """
    with _store(database) as store:
        print_rows(map(asdict, consents.list_lenders(store)), LENDERS, fmt)


@consents_group.command("stop")
@lender_option
@reason_option
@database_option
def stop(lender: str, reason: str, database: str | None) -> None:
    """Refuse all checks of a lender until the stop is lifted.

    Example: xinheng consents stop --lender 甲银行 --reason 授权书抽查不合格
    """
    with _store(database) as store:
        consents.stop_lender(store, me(), lender, reason)
    tell(f"{lender}: 已停止查询 stopped", err=False)


@consents_group.command("lift")
@lender_option
@reason_option
@database_option
def lift(lender: str, reason: str, database: str | None) -> None:
    """Answer a stopped lender's checks again.

    Example: xinheng consents lift --lender 甲银行 --reason 整改完成
    """
    with _store(database) as store:
        consents.lift_stop(store, me(), lender, reason)
    tell(f"{lender}: 已恢复查询 answered again", err=False)


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except (ConsentError, ConsentConflictError, UnknownConsentError) as error:
            raise click.ClickException(str(error.told)) from None
