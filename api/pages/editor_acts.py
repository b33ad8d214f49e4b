"""What the buttons of the editor do to a draft's text."""

from __future__ import annotations

import datetime as dt
import tempfile
from copy import deepcopy
from pathlib import Path as File
from typing import Any

from api.pages.editor_fields import is_there, path_of
from api.pages.editor_parts import HEAD, NEW, form_of
from api.pages.editor_tables import cells_at, inputs_of
from api.pages.simulation import DRAFT
from rules.calendar import today
from rules.fault import WHOLE, Fault, PackError, Place
from rules.library.loader import load_vocabulary
from rules.model import Title
from rules.text.source import Path, read, standing_at
from rules.tools.edit import swapped, with_entry, with_value, without
from rules.tools.exchange.pack import pack_text
from scoring.rulemaking.brought import read_rules


def data_of(text: str) -> Any:
    """The data of a draft.

    :raises PackError: where it is not YAML, or no mapping.
    """
    data = read(text, DRAFT).data
    if not isinstance(data, dict):
        message, hint = "not a mapping of lines", "pack: …, one key a line"
        raise PackError([Fault(Place(DRAFT, 1, 1), WHOLE, "", message, hint)])
    return data


def done(text: str, part: str, do: str) -> tuple[str, str, str]:
    """The text after a button was pressed, the part that is open then, and the path where one is.

    :param do: what the button does, and to which path: ``add:rules.3.examples``.
    :raises PackError: where that can't be done without losing something.
    """
    what, _, name = do.partition(":")
    if what not in ("add", "drop", "copy", "up", "down", "new"):
        return text, part, ""
    data, path = data_of(text), path_of(name)
    if what == "new":
        return _made(text, data, name, part)
    if what == "add":
        return _added(text, data, part, name)
    if what in ("up", "down"):
        return _moved(text, data, part, path, what)
    if not is_there(standing_at(data, path[:-1]), path[-1]):
        return text, part, ""
    if what == "copy":
        return (*_copied(text, data, path), "") if name == part else (text, part, "")
    if _is_column(path):
        return _without_column(text, data, path), part, f"add:{'.'.join(map(str, path[:-1]))}"
    return without(text, DRAFT, path), part if name != part else HEAD, f"add:{'.'.join(map(str, path[:-1]))}"


def _made(text: str, data: Any, name: str, part: str) -> tuple[str, str, str]:
    """A part from nothing, to be filled in: of a section, of rules as well in a dimension."""
    section, _, dimension = name.partition(".")
    if section not in NEW:
        return text, part, ""
    there = data.get(section)
    if section == "measures":
        name = _free("measure", there if isinstance(there, dict) else ())
        return with_value(text, DRAFT, (section, name), deepcopy(NEW[section])), f"{section}.{name}", ""
    entries = there if isinstance(there, list) else []
    entry = deepcopy(NEW[section])
    entry["id"] = _free(entry["id"], [str(e.get("id")) for e in entries if isinstance(e, dict)])
    if "dimension" in entry:
        entry["dimension"] = dimension or str(standing_at(data, ("dimensions", 0, "id")) or "")
    if "tier" in entry:
        entry["tier"] = str(standing_at(data, ("grades", -1, "tier")) or "")
    return with_value(text, DRAFT, (section, len(entries)), entry), f"{section}.{len(entries)}", ""


def _free(name: str, taken: Any) -> str:
    return next(
        made for made in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3))) if made not in taken
    )


def _added(text: str, data: Any, part: str, name: str) -> tuple[str, str, str]:
    """One row more in a grid, as the last; one column more in a table."""
    grid = next((grid for grid in form_of(data, part).grids if grid.path == name and grid.adds), None)
    if grid is None:
        return text, part, ""
    path = path_of(name)
    if path[-1] == "inputs":
        table = standing_at(data, path[:-1])
        return _with_column(text, table, path[:-1]), part, f"{name}.{len(inputs_of(table))}"
    entries = standing_at(data, path) or []
    new = with_value(text, DRAFT, (*path, len(entries)), deepcopy([grid.new, *entries][-1]))
    return new, part, f"{name}.{len(entries)}"


def _moved(text: str, data: Any, part: str, path: Path, what: str) -> tuple[str, str, str]:
    *around, place = path
    entries = standing_at(data, around)
    later = place + (what == "down") if isinstance(place, int) else 0
    if not isinstance(entries, list) or later not in range(1, len(entries)):
        return text, part, ""
    now = later - 1 if what == "up" else later
    return swapped(text, DRAFT, (*around, later)), part, f"{what}:{'.'.join(map(str, (*around, now)))}"


def _copied(text: str, data: Any, path: Path) -> tuple[str, str]:
    """An entry once more, right behind it; a measure as the last."""
    section, entry = str(path[0]), deepcopy(standing_at(data, path))
    if section == "measures":
        name = _free(str(path[1]), data[section])
        return with_value(text, DRAFT, (section, name), entry), f"{section}.{name}"
    if not isinstance(entry, dict) or not isinstance(path[1], int):
        return text, ".".join(map(str, path))
    place = path[1] + 1
    return with_entry(
        text, DRAFT, (section, place), {**entry, "id": f"{entry.get('id')}.new"}
    ), f"{section}.{place}"


# The columns of a table


def _is_column(path: Path) -> bool:
    return len(path) == 4 and path[0] == "tables" and path[2] == "inputs"


def _with_column(text: str, table: dict[str, Any], path: Path) -> str:
    """One column more, of which no row asks anything yet."""
    rows = [_row(row, [*cells_at(row)[1], "-"]) for row in table["rows"]]
    text = with_value(text, DRAFT, (*path, "rows"), rows)
    if "inputs" not in table:
        text = without(text, DRAFT, (*path, "input")) if "input" in table else text
    return with_value(text, DRAFT, (*path, "inputs"), [*inputs_of(table), ""])


def _without_column(text: str, data: Any, path: Path) -> str:
    *around, _, place = path
    table = standing_at(data, around)
    rows = [_row(row, [c for n, c in enumerate(cells_at(row)[1]) if n != place]) for row in table["rows"]]
    text = with_value(text, DRAFT, (*around, "rows"), rows)
    return with_value(
        text, DRAFT, (*around, "inputs"), [c for n, c in enumerate(table["inputs"]) if n != place]
    )


def _row(row: Any, cells: list[Any]) -> Any:
    """A row with other cells."""
    return [*cells, row[-1]] if isinstance(row, list) else {**row, "when": cells}


# Files


def added_from(text: str, content: bytes, name: str) -> tuple[str, list[Title]]:
    """A draft with the tables of a file besides: a DMN model, a PMML scorecard, a workbook or CSV.

    :return: the text, and what of the file is not in it.
    :raises PackError: where the language can't say it, or the draft has something of that name.
    :raises IngestError: where it is no file of rows.
    """
    data = data_of(text)
    vocabulary = load_vocabulary(str(data.get("subject")))
    with tempfile.TemporaryDirectory() as folder:
        path = File(folder, f"rules{File(name).suffix.lower()}")
        path.write_bytes(content)
        draft = read_rules(path, name, vocabulary)
    if draft.missing:
        raise PackError(draft.missing)
    begins = standing_at(data, ("in_force", "from"))
    made = read(pack_text(draft, begins if isinstance(begins, dt.date) else today()), name).data
    for table in made["tables"]:
        text = _with_table(text, table)
    for consequence in made.get("consequences", ()):
        text = with_value(
            text, DRAFT, ("consequences", len(data_of(text).get("consequences") or ())), consequence
        )
    left = [fault.title for fault in draft.remarks]
    if draft.start:
        left.append(
            Title(
                f"文件中的基础分{draft.start}未并入基准分",
                f"its base of {draft.start} points is not in the start",
            )
        )
    return text, left


def _with_table(text: str, table: dict[str, Any]) -> str:
    """A table more, under an id that nothing has; one that others read keeps its own.

    :raises PackError: where something has it.
    """
    data = data_of(text)
    parts = (entry for key in ("rules", "tables", "vetoes") for entry in data.get(key) or ())
    taken = {str(entry.get("id")) for entry in parts if isinstance(entry, dict)} | set(
        data.get("measures") or ()
    )
    if "gives" in table and table["id"] in taken:
        message, hint = "the draft has something that is called so", "another name in the file"
        raise PackError([Fault(Place(DRAFT, 1, 1), "tables", table["id"], message, hint)])
    new = {**table, "id": _free(table["id"], taken)}
    if "gives" not in table:
        new["dimension"] = str(standing_at(data, ("dimensions", 0, "id")) or "")
    return with_value(text, DRAFT, ("tables", len(data.get("tables") or ())), new)
