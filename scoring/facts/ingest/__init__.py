"""Ingest: files as offices send them become rows of a vocabulary, or a list of what is wrong with them.

:func:`scoring.facts.ingest.files.ingest_file` takes one file into the store and
:func:`scoring.facts.ingest.files.ingest_paths` files and directories; good rows go into the store, bad rows
into the quarantine, and a file that can't be read at all raises
:class:`scoring.facts.ingest.errors.IngestError`.
"""
