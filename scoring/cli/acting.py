"""Who gives a command, as the audit log has them."""

from __future__ import annotations

from scoring.access.keys import Role, Who
from scoring.cli.options import operator


def me() -> Who:
    """The person at the command line, an operator."""
    return Who(operator(), Role.OPERATOR)
