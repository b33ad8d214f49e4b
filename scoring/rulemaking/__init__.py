"""How a draft becomes law: it is examined, proposed by one person and approved by another.

:mod:`~scoring.rulemaking.draft` says what is wrong with a draft, what it changes and who would move by it;
:mod:`~scoring.rulemaking.desk` keeps who proposed, approved, refused or withdrew it, and why. What is
approved is read by :mod:`scoring.store.rulebook`. May touch: the packs, what runs have published, the log of
who did what.
"""
