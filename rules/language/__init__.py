"""Conditions: how they are written, what they are, what they answer, and how people are told of them.

:mod:`~rules.language.expressions` is what a condition is; :mod:`~rules.language.parse` makes one of a text,
:mod:`~rules.language.evaluate` answers it for one row, :mod:`~rules.language.boxes` has it in its one normal
form, :mod:`~rules.language.time_terms` takes its time apart, and
:mod:`~rules.language.words` says it in words. Nothing here reads a file.
"""
