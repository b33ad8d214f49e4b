"""The mapping file: how the files of one office differ from what the vocabulary expects.

.. code-block:: yaml

    vocabulary: enterprise
    dataset: record                       # subject or record
    columns: {处罚对象代码: subject_id, 备注: }   # header: column; no column: leave it out
    values: {kind: {罚款: penalty}}       # by column: the text in the file, what it stands for
    defaults: {kind: penalty}             # where the file has no such column, or an empty cell
    encoding: gb18030
    sheet: 处罚
    skip_rows: 2                          # rows above the headers
"""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from marshmallow import fields, post_load

from rules.fault import PackError
from rules.library.reading import shape as shape
from rules.model import Title
from rules.text import fields as own
from rules.text.fields import complaint
from rules.text.shape import Strict, one_of
from rules.text.source import read
from rules.titles import system_title
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.folding import fold_word

Dataset = Literal["subject", "record"]


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What a mapping file says; whatever it leaves out is worked out from the file.

    :param columns: folded header → column name, or None for a column to leave out.
    :param values: column name → folded word → the text to read in its place (None: unknown).
    :param defaults: column name → the text to read where the file says nothing.
    """

    name: str = ""
    vocabulary: str | None = None
    dataset: Dataset | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None
    skip_rows: int | None = None

    @property
    def named_columns(self) -> set[str]:
        """Every column of the vocabulary that the mapping speaks of."""
        return {name for name in self.columns.values() if name} | set(self.values) | set(self.defaults)


NO_MAPPING = FileMapping()


class Word(fields.Field[str]):
    """A cell as it would stand in a file; YAML's numbers, dates and booleans are written out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, dict | list):
            raise complaint("not a text", "a text, a number or a date")
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.isoformat() if isinstance(value, dt.date) else str(value)


class Encoding(fields.String):
    """The name of a text encoding."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return codecs.lookup(str(value)).name
        except LookupError:
            raise complaint("no such encoding", "utf-8 or gb18030") from None


class MappingSchema(Strict):
    vocabulary = own.Identifier(load_default=None)
    dataset = fields.String(load_default=None, validate=one_of(("subject", "record")))
    columns = fields.Dict(fields.String(), own.ColumnName(allow_none=True), load_default=dict)
    values = fields.Dict(
        own.ColumnName(), fields.Dict(fields.String(), Word(allow_none=True)), load_default=dict
    )
    defaults = fields.Dict(own.ColumnName(), Word(), load_default=dict)
    encoding = Encoding(load_default=None)
    sheet = Word(load_default=None)
    skip_rows = own.Count(least=0, most=1_000, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> FileMapping:
        data["columns"] = _by_word(data["columns"])
        data["values"] = {column: _by_word(words) for column, words in data["values"].items()}
        return FileMapping(**data)


def load_mapping(path: Path | str) -> FileMapping:
    """The mapping in a YAML file.

    :raises IngestError: where the file can't be read or is no mapping; with every fault found.
    """
    name = str(path)
    try:
        return parse_mapping(Path(path).read_bytes().decode("utf-8-sig"), name)
    except OSError as error:
        why = system_title(error.strerror)
        reason = Title(f"无法读取对照文件:{why.zh}", f"the mapping file can't be read: {why.en}")
        raise IngestError(
            name, reason, Title("请核对路径和权限", "check the path and its permissions")
        ) from None
    except UnicodeDecodeError as error:
        reason = Title("对照文件不是UTF-8", f"the mapping file is not UTF-8 at byte {error.start}")
        raise IngestError(name, reason, Title("请另存为UTF-8", "save it as UTF-8")) from None


def parse_mapping(text: str, name: str) -> FileMapping:
    """The mapping in a text.

    :raises IngestError: with every fault found.
    """
    try:
        data: Any = shape(read(text, name), MappingSchema())
    except PackError as error:
        reason = Title("对照文件有误", f"the mapping file has errors:\n{error}")
        hint = Title("请按提示改正", "see the places named")
        raise IngestError(name, reason, hint) from None
    assert isinstance(data, FileMapping)
    return replace(data, name=name)


def _by_word(words: Mapping[str, Any]) -> dict[str, Any]:
    return {fold_word(word): value for word, value in words.items()}
