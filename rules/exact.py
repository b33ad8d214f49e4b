"""Arithmetic on decimals that keeps every digit: Python's own rounds each result to 28."""

from __future__ import annotations

from decimal import Context

EXACT = Context(prec=100)
"""A value has at most 38 digits, a product of two at most 76."""
