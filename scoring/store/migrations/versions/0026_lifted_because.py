"""Why consequences were lifted: what it was, and no longer what was said of it in two languages at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_LIFTED = sa.table("consequences", sa.column("lifted_because"), sa.column("mark_id"))
_MARKS = sa.table("record_marks", sa.column("id"), sa.column("reason"))
_CORRECTED = "认定单位更正了记录 the office has changed the record"


def upgrade() -> None:
    """Keep the words of persons alone; which step it was stands in the mark."""
    reason = sa.select(_MARKS.c.reason).where(_MARKS.c.id == _LIFTED.c.mark_id).scalar_subquery()
    op.execute(sa.update(_LIFTED).where(_LIFTED.c.mark_id.is_not(None)).values(lifted_because=reason))
    corrected = _LIFTED.c.lifted_because == _CORRECTED
    op.execute(sa.update(_LIFTED).where(corrected).values(lifted_because=sa.null()))
