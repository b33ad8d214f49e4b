"""Arrow batches as a stream of bytes, in bounded memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from api.http.fields import plain
from scoring.characters.spreadsheets import inert_column

MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
Batches = Iterator[pa.RecordBatch]


def encoded(batches: Batches, schema: pa.Schema, form: str) -> Iterator[bytes]:
    r"""The batches in a form.

    :param form: one of :data:`MEDIA_TYPES`.

    >>> import pyarrow
    >>> batch = pyarrow.RecordBatch.from_pydict({"subject_id": ["A", "B"], "score": [7950, 6700]})
    >>> b"".join(encoded(iter([batch]), batch.schema, "ndjson"))
    b'{"subject_id": "A", "score": 7950}\n{"subject_id": "B", "score": 6700}\n'
    """
    return _FORMS[form](batches, schema)


def _ndjson(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    for batch in batches:
        lines = (json.dumps(row, ensure_ascii=False, default=plain) for row in batch.to_pylist())
        yield "".join(f"{line}\n" for line in lines).encode()


def _csv(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    return _written(map(_inert, batches), lambda sink: pyarrow.csv.CSVWriter(sink, schema))


def _inert(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([inert_column(column) for column in batch.columns], schema=batch.schema)


def _parquet(batches: Batches, schema: pa.Schema) -> Iterator[bytes]:
    return _written(batches, lambda sink: pyarrow.parquet.ParquetWriter(sink, schema))


def _written(batches: Batches, open_writer: Callable[[io.RawIOBase], Any]) -> Iterator[bytes]:
    """What a writer has written so far is sent before it gets the next batch."""
    sink = _Sink()
    with open_writer(sink) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that can be written on at the end, and emptied at the front."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._position = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take bytes."""
        self._waiting += data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._position

    def take(self) -> bytes:
        """The bytes since the last time."""
        waiting, self._waiting = bytes(self._waiting), bytearray()
        return waiting


_FORMS: dict[str, Callable[[Batches, pa.Schema], Iterator[bytes]]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
