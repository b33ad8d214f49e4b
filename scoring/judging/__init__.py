"""Judging: from facts and a pack to grades as timelines.

Of many subjects by :mod:`~scoring.judging.judge` in DuckDB (one day of them: :mod:`~scoring.judging.engine`),
of one by :mod:`~scoring.judging.one` in Python. May touch: a plan, and tables that are laid before it; it
opens no store and reads no clock. Nobody else builds SQL of what a rule says.
"""
