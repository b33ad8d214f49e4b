"""An attempt at a request with an idempotency key, as it is kept in the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Response
from sqlalchemy.orm import Session

from scoring.store.access import KeptAnswer


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at the request of an idempotency key.

    :param owner: the first of the API keys that replaced one another: whose idempotency key it is.
    :param token: which no other attempt has.
    """

    owner: str
    key: str
    token: str

    def note_change(self, session: Session) -> bool:
        """Note in the transaction of a change that it is made; False where another attempt has the claim, so
        that the change must not be kept.
        """
        noted = session.execute(self._held(sa.update(KeptAnswer)).values(changed_at=dt.datetime.now(dt.UTC)))
        return bool(noted.rowcount)  # type: ignore[attr-defined]

    def answer(self, session: Session, answer: Response, logged: str, is_whole: bool = True) -> None:
        """Keep the answer; or no more than that there was one."""
        session.execute(
            self._held(sa.update(KeptAnswer)).values(
                status=answer.status_code,
                location=answer.headers.get("Location"),
                body=answer.get_data(as_text=True) if is_whole else None,
                logged=logged,
                kept_at=dt.datetime.now(dt.UTC),
            )
        )

    def release(self, session: Session) -> bool:
        """Let the key be used again, if nothing was changed under it; whether that is so."""
        gone = session.execute(self._held(sa.delete(KeptAnswer)).where(KeptAnswer.changed_at.is_(None)))
        return bool(gone.rowcount)  # type: ignore[attr-defined]

    def _held(self, statement: Any) -> Any:
        return statement.where(
            KeptAnswer.api_key == self.owner,
            KeptAnswer.idempotency_key == self.key,
            KeptAnswer.claim == self.token,
        )
