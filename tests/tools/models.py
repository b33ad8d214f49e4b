"""Small files of other notations, for the tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from rules.tools.exchange.dmn import DMN_1_3


def table(
    rows: Iterable[Sequence[str]],
    inputs: Sequence[str] = ("Amount",),
    hit: str = 'hitPolicy="UNIQUE"',
    name: str = "额度",
    output: str = '<output name="points" typeRef="number"/>',
    listed: str = "",
) -> str:
    """A decision of DMN: each row is its cells and then its points."""
    values = f"<inputValues><text>{escape(listed)}</text></inputValues>" if listed else ""
    clauses = "".join(
        f"<input><inputExpression><text>{escape(text)}</text></inputExpression>{values}</input>"
        for text in inputs
    )
    lines = "\n".join(
        "<rule>"
        + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in row[:-1])
        + f"<outputEntry><text>{escape(row[-1])}</text></outputEntry></rule>"
        for row in rows
    )
    return (
        f"<decision name={quoteattr(name)}><decisionTable {hit}>{clauses}{output}\n{lines}"
        "</decisionTable></decision>"
    )


def model(*decisions: str, space: str = DMN_1_3, **types: str) -> str:
    """A DMN model with an input for each name, of its type."""
    given = {"Amount": "number", "Purpose": "string", "Opened_on": "date", "Insured": "boolean", **types}
    data = "".join(
        f'<inputData name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'
        for name, kind in given.items()
    )
    return (
        f'<definitions xmlns="{space}" name="loan points">{data}\n' + "\n".join(decisions) + "</definitions>"
    )
