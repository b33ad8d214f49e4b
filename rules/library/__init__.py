"""The packs and vocabularies that are installed: the room that reads disk.

:mod:`~rules.library.loader` loads by file or name, :mod:`~rules.library.references` finds what people name,
:mod:`~rules.library.kept` keeps what reading has given. What reads a text, :mod:`~rules.library.reading`, is
loaded only where no copy of an earlier reading is kept.
"""
