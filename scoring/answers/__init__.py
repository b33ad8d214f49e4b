"""Answers: why a grade is what it is, why not another, what it will be, what would change it, and who has
which.

Each answer is a module that says what it answers; those in ``_json`` say how it is sent. May touch: what runs
have published, facts at a moment, the judges. Writes nothing.
"""
