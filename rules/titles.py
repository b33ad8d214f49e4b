"""What people read, in Chinese and English, and the errors that say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Title:
    """What people read: Chinese, with English beside it."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}" if self.en != self.zh else self.zh


class TitledError(Exception):
    """An error that officials read, on a page or the command line. Programs and logs read its English.

    :ivar title: what it says.
    """

    def __init__(self, title: Title) -> None:
        super().__init__(title)
        self.title = title

    @property
    def told(self) -> Title:
        """What it says to who may see everything."""
        return self.title

    def __str__(self) -> str:
        return self.title.en


class UnknownError(TitledError, LookupError):
    """What was asked for by its name or number is not there, or not for who asks: 404 from the API."""
