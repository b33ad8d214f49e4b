"""The examples of the OpenAPI document: what the real application was asked once, and what it answered.

``make examples`` writes them anew; a test holds them to what the application answers now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")
"""By method and path: what was asked (``path``, ``query``, ``body``), and what came of it (``status``,
``media_type``, ``answer``), with long lists and texts cut."""


def put_examples(paths: Mapping[str, Any]) -> None:
    """Give the operations of an OpenAPI document their examples.

    :param paths: the document's own; what is described there is added to.
    """
    for name, one in json.loads(FILE.read_text(encoding="utf-8")).items():
        method, _, path = name.partition(" ")
        item = paths.get(path, {})
        if (operation := item.get(method.lower())) is None:
            continue  # of a document of some of the operations
        _give(item.get("parameters", ()), one.get("path", {}))
        _give(operation.get("parameters", ()), one.get("query", {}))
        if "body" in one:
            operation["requestBody"]["content"]["application/json"]["example"] = one["body"]
        if "answer" in one:
            content = operation["responses"][str(one["status"])]["content"]
            kind = next(kind for kind in content if kind.startswith(one["media_type"]))
            content[kind]["example"] = one["answer"]


def _give(parameters: Iterable[dict[str, Any]], values: Mapping[str, Any]) -> None:
    for parameter in parameters:
        if parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
