"""Tests of the sample district and of the report on it."""

SMALL = {"enterprises": 240, "records": 6000}
