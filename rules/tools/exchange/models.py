"""What an XML file holds, by its content."""

from __future__ import annotations

from rules.fault import WHOLE, Fault, PackError
from rules.model import Vocabulary
from rules.tools.exchange import pmml
from rules.tools.exchange.dmn import SPACES, read_dmn
from rules.tools.exchange.draft import Draft
from rules.tools.exchange.xml import read_xml


def read_model(content: bytes, file: str, vocabulary: Vocabulary | None = None) -> Draft:
    """What a DMN model or a PMML scorecard says.

    :param file: the name that faults are reported under.
    :param vocabulary: the shared one whose attributes it asks of; None: the pack brings its own.
    :raises PackError: where it is no such model, or no XML.
    """
    root = read_xml(content, file)
    if root.space in SPACES and root.name == "definitions":
        return read_dmn(root, vocabulary)
    if root.space in pmml.SPACES and root.name == "PMML":
        return pmml.read_pmml(root, vocabulary)
    message = f"XML of {root.space or 'no namespace'}, element {root.name}"
    raise PackError([Fault(root.place, WHOLE, "", message, "DMN 1.1 to 1.6, or PMML 4.1 to 4.4")])
