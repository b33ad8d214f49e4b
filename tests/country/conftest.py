"""What the tests of the commands run them with."""

from cli.conftest import command

__all__ = ["command"]
