"""Errors that a command answers with their message alone."""

from __future__ import annotations

from rules.problems import PackError, UnknownPackError
from scoring.explain import UnknownSubjectError
from scoring.files import FileError
from scoring.ingest.errors import IngestError
from scoring.store import StoreError

EXPECTED = (PackError, UnknownPackError, UnknownSubjectError, FileError, IngestError, StoreError, OSError)
