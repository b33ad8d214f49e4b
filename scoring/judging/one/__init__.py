"""The judge of one subject, in plain Python; the judge of many, in DuckDB, comes to the same end."""

from scoring.judging.one.judge import Judge, Varied

__all__ = ["Judge", "Varied"]
