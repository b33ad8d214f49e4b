"""What is wrong with a file that is scored from, or to."""

from __future__ import annotations

from scoring.characters.visible import one_line


class FileError(Exception):
    """A file that can't be scored from, or to; the message says which, why, and what would be right."""

    def __init__(self, message: str) -> None:
        said, mark, right = message.partition("\n    right: ")
        super().__init__(one_line(said) + mark + right)
