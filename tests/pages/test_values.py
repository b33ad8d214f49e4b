"""Amounts, numbers and citations as pages write them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from api.pages import words
from rules.articles import article_in, in_english, numeral
from rules.library.loader import load_pack, load_vocabulary
from rules.model import Citation, Column

RECORDS = load_vocabulary("enterprise").records
assert RECORDS is not None
AMOUNT = RECORDS.columns["amount"]
GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.mark.parametrize(
    ("value", "column", "zh", "en"),
    [
        ("800", AMOUNT, "800元", "800 yuan"),
        ("9999.50", AMOUNT, "9999.5元", "9999.5 yuan"),
        ("15000", AMOUNT, "1.5万元", "15,000 yuan"),
        ("12345.67", AMOUNT, "12,345.67元", "12,345.67 yuan"),
        ("500000000", AMOUNT, "50,000万元", "500,000,000 yuan"),
        ("2026", None, "2026", "2026"),
        ("20260", None, "20,260", "20,260"),
    ],
)
def test_amounts_have_a_unit_and_separators_and_lose_no_fen(
    pages: Flask, value: str, column: Column | None, zh: str, en: str
) -> None:
    for language, said in (("zh", zh), ("en", en)):
        with pages.test_request_context(headers={"Cookie": f"language={language}"}):
            assert words.value(Decimal(value), column).striptags() == said


@pytest.mark.parametrize(
    "number", [1, 9, 10, 11, 19, 20, 31, 100, 101, 110, 111, 577, 1005, 1050, 1260, 9999]
)
def test_the_number_of_an_article_is_read_back_as_it_was_written(number: int) -> None:
    assert in_english(f"民法典第{numeral(number)}条") == f"民法典 art. {number}"
    assert article_in("民法典", f"§{number}") == article_in("民法典", f"art. {number}")


@pytest.mark.parametrize("article", ["§4", "art. 4", "Table 2", ""])
def test_a_place_in_a_document_of_another_language_is_said_as_it_is(article: str) -> None:
    pack = load_pack(GALLERY / "food-hygiene" / "pack.yaml")
    said = pack.cite(Citation("brand-standard", article))
    assert said.zh == said.en == f"FHRS Brand Standard {article}".strip()
