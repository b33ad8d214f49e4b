"""Rules that others bring, as packs: decision tables (DMN), scorecards (PMML, spreadsheets); and back.

Nothing is guessed: what the language has no word for is named with its place, and no row is made of it.
"""
