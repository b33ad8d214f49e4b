"""Runs: what is graded, published, said of a day, and had again.

:mod:`~scoring.runs.batch` grades what changed and publishes it in one transaction; a server has it done by
:mod:`~scoring.runs.jobs`; :mod:`~scoring.runs.files` grades files into files, without a store. Others read
what was published by :mod:`~scoring.runs.published`, :mod:`~scoring.runs.results` and
:mod:`~scoring.runs.said`, which pack rules when by :mod:`~scoring.runs.terms`, and check a run by
:mod:`~scoring.runs.replay`. May touch: facts, the judges, the store; writes results, never a version.
"""
