"""What is wrong with a file that is scored from, or to."""

from __future__ import annotations


class FileError(Exception):
    """A file that can't be scored from, or to; the message says which, why, and what would be right."""
