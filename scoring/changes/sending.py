"""Messages to receivers: signed, at least once, in order, tried again with growing pauses, given up at last.

A message is what lies in the feed between the place that a receiver has acknowledged and the next. A sender
claims the subscription and notes its attempt in one transaction, sends with no transaction open, and notes
what came of it in another. One that is killed in between leaves a claim that runs out, and the message is
sent again, under the same id. Signed as Standard Webhooks has it (symmetric, ``v1``): receivers have
libraries for it, and ask for nothing but a secret; the asymmetric kind would need a library here.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from rules.titles import Title
from scoring.access.audit import append
from scoring.access.consents import Clock, LenderStoppedError, day_of, now
from scoring.access.keys import Role, Who
from scoring.changes.addresses import DEADLINE, Answer
from scoring.changes.feed import Item, Place, Reading, as_said, consented, read
from scoring.changes.subscriptions import (
    Subscription,
    barred_host,
    lost,
    note_delivery,
    registrar,
    subscription_of,
)
from scoring.store import Store
from scoring.store.changes import DeliveryRow, SubscriptionRow
from scoring.store.standing import ACTIVE, standing

ITEMS = 50
"""The most items of a message: some 20 kB, as the specification recommends."""

PAUSES = (
    dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2),
    dt.timedelta(hours=5), dt.timedelta(hours=10), dt.timedelta(hours=14), dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)  # fmt: skip
"""After each failure; after the one that follows the last pause, the subscription is stopped."""

LEASE = dt.timedelta(seconds=6 * DEADLINE)
"""For how long a sender has a subscription: longer than any message takes."""

SENDERS = 8
"""How many messages are on their way at once: a receiver that takes its time keeps few others waiting."""

LONGEST_PASS = 300.0
"""Seconds after which a pass begins no further message: whose turn it is by then is the next one's to say."""

GONE = 410
"""The answer of a receiver that wants nothing more."""

Post = Callable[[str, Mapping[str, str], bytes], Answer]
"""Sends a body to an address with headers."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way: which attempt it is, and whose.

    :param barred: why it may not go to its address.
    """

    subscription: Subscription
    delivery: int
    claim: str
    until: Place
    items: tuple[Item, ...]
    secret: str
    barred: Title | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What was read from a subscription's place on."""

    place: Place
    reading: Reading


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt and what came of it."""

    subscription: Subscription
    until: str
    items: int
    answer: Answer

    @property
    def is_acknowledged(self) -> bool:
        """Whether the receiver has it."""
        return is_acknowledged(self.answer)


def send_due(store: Store, post: Post, by: str, clock: Clock = now) -> Iterator[Sent]:
    """One pass over all subscriptions with an address: each until nothing is left, one message fails, or
    the pass has gone on for :data:`LONGEST_PASS`. They take turns, a message each.

    :param post: called from several threads.
    :param by: who gives the command.
    """

    def turn(number: int) -> Sent | None:
        message = _begin(store, number, by, clock)
        if message is None:
            return None
        answer = Answer(None, message.barred) if message.barred else post(*_written(message, clock()))
        return _end(store, message, answer, by, clock)

    end, pool = time.monotonic() + LONGEST_PASS, ThreadPoolExecutor(SENDERS)
    try:
        waiting = {pool.submit(turn, number) for number in _addressed(store)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for sent in filter(None, (one.result() for one in done)):
                yield sent
                if sent.is_acknowledged and time.monotonic() < end:
                    waiting.add(pool.submit(turn, sent.subscription.id))
    finally:
        pool.shutdown(cancel_futures=True)


def sign(secret: str, number: str, at: dt.datetime, body: bytes) -> dict[str, str]:
    """The headers that say what a message is, when it was sent, and that it comes from here.

    >>> import datetime as dt
    >>> secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", dt.datetime.fromtimestamp(1614265330, dt.UTC)
    >>> headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    >>> headers["webhook-signature"]  # as the libraries of the specification have it
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{number}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": number,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def is_acknowledged(answer: Answer) -> bool:
    """Whether an answer says that the receiver has the message."""
    return answer.status is not None and 200 <= answer.status < 300


def _addressed(store: Store) -> list[int]:
    query = sa.select(SubscriptionRow.id).where(SubscriptionRow.address.is_not(None))
    with store.reading() as session:
        return list(
            session.scalars(query.where(SubscriptionRow.ended_at.is_(None)).order_by(SubscriptionRow.id))
        )


def _begin(store: Store, number: int, by: str, clock: Clock) -> Message | None:
    """The next message of a subscription, claimed and noted; None where there is none to be sent now."""
    try:
        while (reading := _next(store, number, clock())) is not None:
            if (message := _claimed(store, number, reading, by, clock)) is not None:
                return message
    except LenderStoppedError:
        pass
    return None


def _next(store: Store, number: int, at: dt.datetime) -> _Waiting | None:
    """What is to be sent next; None where it is not the time, or there is nothing new."""
    with store.reading() as session:
        row = session.get_one(SubscriptionRow, number)
        if not _is_due(row, at):
            return None
        place = Place.read(row.place)
        until = None if row.sending is None else Place.read(row.sending)
        audience = subscription_of(row).audience
        reading = read(session, audience, place, ITEMS, day_of(at), until)
        return None if reading.until == place else _Waiting(place, reading)


def _claimed(store: Store, number: int, waiting: _Waiting, by: str, clock: Clock) -> Message | None:
    """A message that is this sender's for a while; None where things have changed, or nothing is left of it.

    :raises LenderStoppedError: where the lender may be told nothing now.
    """
    with store.writing() as session:
        row = session.get_one(SubscriptionRow, number, with_for_update=True)
        at, until, items = clock(), waiting.reading.until, waiting.reading.items
        if not _is_due(row, at) or row.place != str(waiting.place):
            return None
        subscription, who = subscription_of(row), Who(by, Role.OPERATOR)
        if (state := standing(session, row.created_by)) != ACTIVE:
            said = {"subscription": row.id, "receiver": row.receiver, "key": row.created_by, "state": state}
            row.stopped_at, row.stopped_why = at, lost(state).both
            append(session, [who.event("subscriptions.stop", None, at, **said)])
            return None
        if subscription.role is Role.LENDER:
            items, events = consented(session, subscription.audience, items, who, at, day_of(at))
        else:
            events = [who.event("deliveries.send", None, at, **_logged(subscription, waiting.reading))]
        if not items:
            _settle(row, until)
            return None
        row.claim, row.claimed_until, row.sending = secrets.token_hex(16), at + LEASE, str(until)
        delivery = note_delivery(session, row, until, len(items), at, by)
        append(session, events)
        barred = barred_host(str(row.address), registrar(session, row))
        return Message(subscription, delivery.id, row.claim, until, items, str(row.secret), barred)


def _end(store: Store, message: Message, answer: Answer, by: str, clock: Clock) -> Sent:
    """Note and log what came of an attempt; where the claim has run out, another sender sees to the rest."""
    number, until = message.subscription.id, message.until
    with store.writing() as session:
        row = session.get_one(SubscriptionRow, number, with_for_update=True)
        delivery, at, was_on = session.get_one(DeliveryRow, message.delivery), clock(), row.stopped_at is None
        delivery.status = answer.status
        delivery.problem = None if answer.problem is None else answer.problem.both
        if is_acknowledged(answer):
            delivery.acknowledged_at = at
        if row.claim == message.claim:
            row.claim = row.claimed_until = None
            if is_acknowledged(answer):
                _settle(row, until)
            else:
                _fail(row, answer, at)
        who, said = Who(by, Role.OPERATOR), {"subscription": row.id, "receiver": row.receiver}
        came = said | {"until": str(until), "status": answer.status, "problem": delivery.problem}
        events = [who.event("deliveries.answer", None, at, **came)]
        if was_on and row.stopped_at is not None:
            events.append(who.event("subscriptions.stop", None, at, **said, why=row.stopped_why))
        append(session, events)
        return Sent(subscription_of(row), str(until), len(message.items), answer)


def _settle(row: SubscriptionRow, until: Place) -> None:
    row.place, row.sending, row.tries, row.next_at = str(until), None, 0, None


def _fail(row: SubscriptionRow, answer: Answer, at: dt.datetime) -> None:
    row.tries += 1
    why = answer.problem or Title(*[f"HTTP {answer.status}"] * 2)
    if row.tries > len(PAUSES) or answer.status == GONE:
        stopped = Title(f"{why.zh},共{row.tries}次", f"{why.en}, {row.tries} x")
        row.stopped_at, row.stopped_why, row.next_at = at, stopped.both, None
    else:
        row.next_at = at + PAUSES[row.tries - 1]


def _is_due(row: SubscriptionRow, at: dt.datetime) -> bool:
    is_on = row.ended_at is None and row.stopped_at is None
    is_free = row.claimed_until is None or row.claimed_until <= at
    return is_on and is_free and (row.next_at is None or row.next_at <= at)


def _written(message: Message, at: dt.datetime) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body. The same message has the same id, however often it is sent."""
    subscription, items = message.subscription, message.items
    said = {"items": [as_said(item) for item in items], "next": str(message.until)}
    body = orjson.dumps({"type": "changes", "timestamp": items[-1].at, "data": said})
    named = hashlib.sha256(f"{subscription.id} {message.until}".encode()).hexdigest()[:32]
    headers = {"content-type": "application/json", "user-agent": "xinheng"}
    return str(subscription.address), headers | sign(message.secret, f"msg_{named}", at, body), body


def _logged(subscription: Subscription, reading: Reading) -> dict[str, object]:
    subjects = sorted({item.subject_id for item in reading.items if item.subject_id is not None})
    place = {"subscription": subscription.id, "receiver": subscription.receiver, "until": str(reading.until)}
    return place | {"changes": [item.id for item in reading.items], "subjects": subjects}
