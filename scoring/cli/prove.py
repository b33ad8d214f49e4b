"""``xinheng rules prove``: whether a claim about two packs is true of every subject there can be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import click

from rules.library.references import named_pack
from rules.model import Example, Pack
from rules.titles import Title
from rules.tools.exchange.pack import dumped
from scoring.answers.proofs import Proof, Verdict, prove
from scoring.cli.exchange import rules_group as rules_group
from scoring.cli.language import in_language
from scoring.cli.options import as_of_option, database_option, known_by
from scoring.cli.output import tell

EXITS = {Verdict.PROVED: 0, Verdict.REFUTED: 1, Verdict.UNDECIDED: 2}


@rules_group.command("prove")
@click.argument("before")
@click.argument("after", required=False)
@click.option("--claim", default="equal", show_default=True, help="What is claimed; docs/proofs.md says how.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=20,
    show_default=True,
    help="How long may be looked for an answer.",
)
@as_of_option
@database_option
def prove_command(
    before: str, after: str | None, claim: str, seconds: float, as_of: dt.date, database: str | None
) -> None:
    """Say whether a claim about two packs is true of every subject there can be, or show one that refutes it.

    BEFORE and AFTER are files, ids (the version in force) or id@version; without AFTER the claim is of one.
    The exit code is 0 where the claim is proved, 1 where an example shows that it is not true, and 2 where
    neither could be said.

    Example: xinheng rules prove enterprise-credit@2026.1 draft.yaml --claim nobody-falls
    """
    known = partial(known_by, database)
    a = named_pack(before, as_of, known)
    b = a if after is None else named_pack(after, as_of, known)
    proof = prove(a, b, claim, as_of, seconds)
    tell(in_language(_verdict(proof, seconds)), err=False)
    if proof.left_open and proof.counterexample is None:
        tell(in_language(_left_open(proof)), err=False)
    for text in _examples(proof, (a, before), (b, after or before)):
        tell(text, err=False)
    raise SystemExit(EXITS[proof.verdict])


def _verdict(proof: Proof, seconds: float) -> Title:
    if proof.verdict is Verdict.PROVED:
        return Title(
            "命题成立：对可能存在的任何主体、任意条数的记录均成立",
            "proved: of every subject there can be, with any number of records",
        )
    if proof.verdict is Verdict.REFUTED:
        return Title(
            "命题不成立，反例如下（已由评价程序核对，可粘贴到规则的examples中）",
            "not true; a counterexample, judged by the engine, to be pasted into a pack's examples:",
        )
    if proof.too_many:
        return Title(
            "无法判定：规则区分的记录种类过多；请用without缩小范围",
            "can't be decided: the rules tell too many kinds of records apart; narrow the claim by without",
        )
    if proof.refused:
        return Title(
            f"无法判定：求解器给出的{proof.refused}个主体经评价程序核对均不是反例",
            f"can't be decided: of {proof.refused} subjects that the solver named the engine confirms none",
        )
    return Title(f"{seconds:g}秒内无法判定", f"can't be decided in {seconds:g} s")


def _left_open(proof: Proof) -> Title:
    shown = ", ".join(proof.left_open)
    if proof.verdict is Verdict.PROVED:
        return Title(
            f"以下内容按可取任何值处理，不影响命题成立：{shown}",
            f"held to have any value, and the proof holds all the same: {shown}",
        )
    return Title(
        f"以下内容未精确建模，按可取任何值处理：{shown}",
        f"not modelled exactly, held to have any value: {shown}",
    )


def _examples(proof: Proof, *packs: tuple[Pack, str]) -> Iterator[str]:
    """The example of A and that of B; once, where pack and example are the same."""
    told = [
        (pack, f"{pack.id} {pack.version} ({given})", example)
        for (pack, given), example in zip(packs, proof.counterexample or (), strict=False)
    ]
    if len(told) == 2 and told[0] == told[1]:
        told = told[:1]
    for letter, (_, heading, example) in zip("AB", told, strict=False):
        yield _told(f"{letter}: {heading}", example)


def _told(heading: str, example: Example) -> str:
    """An example as a pack has it, below a comment that says which of the two it is of."""
    said = {
        "subject": dict(example.subject),
        **({"records": [dict(record) for record in example.records]} if example.records else {}),
        "as_of": example.as_of,
        "score": Decimal(example.score or 0).scaleb(-2),
        "tier": example.tier,
    }
    return f"# {heading}\n{dumped([said])}".rstrip()
