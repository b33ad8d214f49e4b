"""Rows as documents: one row has one document, and nothing is lost on the way back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.library.loader import load_text
from rules.model import Table
from scoring.facts.typed import typed_columns
from scoring.store.documents import content_hash, decode, encode

from .market import MARKET

MERCHANTS: Table = load_text(MARKET, "market.yaml").vocabulary.subject
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
ROWS = st.fixed_dictionaries(
    {
        "merchant_id": TEXTS | st.none(),
        "stalls": st.integers(-(10**18) + 1, 10**18 - 1) | st.none(),
        "turnover": st.decimals(-(10**13), 10**13, places=4) | st.none(),
        "joined_on": st.dates() | st.none(),
        "licensed": st.booleans() | st.none(),
    }
)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_a_row_comes_back_from_its_document_as_it_was(row: dict[str, Any]) -> None:
    assert decode(encode(row), MERCHANTS) == row


@settings(max_examples=30, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_duckdb_reads_the_same_values(rows: list[dict[str, Any]]) -> None:
    documents = pa.table({"data": [encode(row) for row in rows]})
    read = duckdb.from_arrow(documents).select(*typed_columns(MERCHANTS)).fetchall()
    assert read == [tuple(row[name] for name in MERCHANTS.columns) for row in rows]


def test_the_columns_have_the_types_of_the_language() -> None:
    relation = duckdb.from_arrow(pa.table({"data": ["{}"]})).select(*typed_columns(MERCHANTS))
    assert [str(t) for t in relation.types] == ["VARCHAR", "BIGINT", "DECIMAL(18,4)", "DATE", "BOOLEAN"]


def test_order_of_columns_and_unknown_values_make_no_difference() -> None:
    one = encode({"turnover": Decimal("12.5"), "name": "张记", "stalls": None})
    two = encode({"name": "张记", "turnover": Decimal("12.5000")})
    assert one == two == '{"name":"张记","turnover":"12.5000"}'
    assert content_hash(one) == content_hash(two)


def test_a_fifth_decimal_is_refused_rather_than_rounded() -> None:
    with pytest.raises(ValueError, match=r"turnover: 0\.00001 has more than four decimals"):
        encode({"turnover": Decimal("0.00001")})


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="turnover: float"):
        encode({"turnover": 0.5})


def test_a_value_of_another_type_is_an_error_and_not_unknown() -> None:
    documents = pa.table({"data": ['{"joined_on":"yesterday"}']})
    with pytest.raises(duckdb.ConversionException, match="yesterday"):
        duckdb.from_arrow(documents).select(*typed_columns(MERCHANTS)).fetchall()


def test_dates_are_days_whatever_the_year() -> None:
    assert decode(encode({"joined_on": dt.date(1, 1, 1)}), MERCHANTS)["joined_on"] == dt.date(1, 1, 1)
