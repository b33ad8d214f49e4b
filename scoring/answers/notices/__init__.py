"""Notices of an adverse change, on one page: what changed, why, by which law, what helps, whom to ask.

:mod:`~scoring.answers.notices.compute` makes one from a proposal or a published run;
:mod:`~scoring.answers.notices.files` writes it as HTML.
"""
