"""The rule language: packs, their conditions, and the plan that an engine runs.

This package knows no database and no engine. A pack goes in as text and comes out as frozen, checked
data (:func:`rules.library.loader.load_pack`), or as the complete list of its faults.
"""
