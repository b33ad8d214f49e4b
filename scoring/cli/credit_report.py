"""``xinheng credit-report``: the public credit report of an enterprise, on paper."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from scoring.answers.credit_report import issue_report, report_file
from scoring.cli.options import database_option, operator
from scoring.cli.output import NewFile, tell, write_whole
from scoring.store import open_store


@click.command("credit-report")
@click.argument("subject")
@click.option("--out", required=True, type=NewFile(".pdf"), help="Write the PDF to this file.")
@database_option
def credit_report_command(subject: str, out: Path, database: str | None) -> None:
    """Issue the public credit report of SUBJECT (its credit code) as a PDF, numbered and to be verified.

    It is kept, and the audit log says so, before the file is written. XINHENG_ADDRESS is the address on it,
    where anybody verifies it.

    Example: xinheng credit-report 91500232MA5U00001M --out report.pdf
    """
    with closing(open_store(database)) as store:
        found = issue_report(store, subject, operator())
        write_whole(out, report_file(store, found.number)[1])
    tell(f"{found.name}: {found.number}, 验证码 check code {found.code}", err=False)
