"""What a row of an official form leaves open, and the form or the law fills in: its kind, its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rules.language.evaluate import compiled
from rules.model import Title, Vocabulary
from scoring.facts.ingest.cells import JsonValue
from scoring.facts.ingest.checks import Finding
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.forms import Form
from scoring.store.documents import PROPOSED


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is filled in.

    :param values: column → value; under :data:`PROPOSED` the names of the columns.
    :param to_confirm: what a person must confirm before it holds.
    """

    values: Mapping[str, JsonValue]
    to_confirm: tuple[Finding, ...] = ()


class Proposer:
    """Fills in what a row of a form does not say itself."""

    def __init__(self, form: Form, vocabulary: Vocabulary) -> None:
        assert vocabulary.records is not None
        self._fixed = form.fixed
        self._proposals = [(compiled(proposal.when), proposal) for proposal in vocabulary.proposals]
        self._columns = vocabulary.records.columns
        self._decimals = {name for name, column in self._columns.items() if column.declared == "decimal"}

    def __call__(self, values: Mapping[str, JsonValue]) -> Proposals:
        """What is filled in where a row says these values; None where it does not know one."""
        filled: dict[str, JsonValue] = {
            name: code for name, code in self._fixed.items() if values.get(name) is None
        }
        row = {
            name: Decimal(str(value)) if name in self._decimals and value is not None else value
            for name, value in {**values, **filled}.items()
        }
        to_confirm = []
        for is_met, proposal in self._proposals:
            if row.get(proposal.column) is None and is_met(row):
                filled[proposal.column] = row[proposal.column] = proposal.meanwhile or proposal.code
                if proposal.meanwhile is not None:
                    titles = self._columns[proposal.column].values
                    to_confirm.append(_to_confirm(proposal.column, titles[proposal.code], proposal.because))
        return Proposals(filled | {PROPOSED: " ".join(sorted(filled)) or None}, tuple(to_confirm))


def _to_confirm(column: str, proposed: Title, because: Title) -> Finding:
    reason = Title(f"建议认定为“{proposed.zh}”：{because.zh}", f"{proposed.en} is proposed: {because.en}")
    hint = Title(
        "须由人确认；确认后报送编号、代码和该列",
        "a person must confirm it, and send the record's number, code and this column",
    )
    return Finding(column, Fault(reason, hint), odd=True)
