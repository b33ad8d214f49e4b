"""Judging many subjects at once."""
