"""Subscriptions: which systems are told of changes, how far each is, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around.auth import who
from api.around.context import clock, settings, store
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number, ticked
from api.resources.runs import NUMBER
from api.schemas.changes import SubscriptionRequest
from rules.model import Title
from scoring.access.keys import Role
from scoring.changes import subscriptions as desk
from scoring.changes.feed import KINDS
from scoring.changes.subscriptions import (
    FOR_WHOM,
    ROLES,
    STATES,
    Subscription,
    SubscriptionConflictError,
    SubscriptionError,
    Wanted,
)

ROWS = 50


class SubscriptionForm(SubscriptionRequest):
    """A receiver, as the form says it: each kind of change has its box."""

    class Meta:
        """What the form asks in another way."""

        exclude = ("kinds",)


@blueprint.get("/subscriptions")
def subscriptions() -> Response:
    """The receivers, how far each is and how it goes; and the form to add one."""
    return _list(200)


@blueprint.post("/subscriptions")
def add_subscription() -> Response:
    """Register a receiver. Its secret is on the page that follows, and nowhere else."""
    try:
        body = filled_in(SubscriptionForm)
        wanted = Wanted(**(body | {"role": Role(body["role"]), "kinds": ticked(KINDS, "kind")}))
        made, secret = desk.subscribe(store(), who(), wanted, settings().pack, clock())
    except FormError as error:
        return _list(422, error.fields)
    except SubscriptionError as error:
        return _list(422, {error.field: error.title})
    return _page(made, 201, secret=secret)


@blueprint.get(f"/subscriptions/{NUMBER}subscription_id>")
def subscription(subscription_id: int) -> Response:
    """A receiver: what it was told, what it acknowledged, what failed, and what may be done."""
    return _page(_found(subscription_id), 200)


@blueprint.post(f"/subscriptions/{NUMBER}subscription_id>/secrets")
def renew_secret(subscription_id: int) -> Response:
    """Sign by another secret from now on; it is on the page that follows, and nowhere else."""
    try:
        renewed, secret = desk.renew_secret(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        return _page(_found(subscription_id), 409, [error.title])
    return _page(renewed, 201, secret=secret)


@blueprint.post(f"/subscriptions/{NUMBER}subscription_id>/pauses")
def pause_subscription(subscription_id: int) -> Response:
    """Send nothing until it is resumed."""
    return _done(desk.pause, subscription_id)


@blueprint.post(f"/subscriptions/{NUMBER}subscription_id>/resumptions")
def resume_subscription(subscription_id: int) -> Response:
    """Send again at once what failed, and go on."""
    return _done(desk.resume, subscription_id)


@blueprint.post(f"/subscriptions/{NUMBER}subscription_id>/ends")
def end_subscription(subscription_id: int) -> Response:
    """End a subscription for good."""
    return _done(desk.end_subscription, subscription_id)


def _done(step: Callable[..., Subscription], subscription_id: int) -> Response:
    try:
        step(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        return _page(_found(subscription_id), 409, [error.title])
    return redirect(url_for("pages.subscription", subscription_id=subscription_id), 303)


def _found(subscription_id: int) -> Subscription:
    return desk.get_subscription(store(), subscription_id, who())


def _list(status: int, faults: Mapping[str, Title] | None = None) -> Response:
    role = who().role
    found = desk.list_subscriptions(store(), number("after") or 0, ROWS + 1, who())
    shown = found[:ROWS]
    return page(
        "subscriptions",
        status,
        subscriptions=shown,
        after=shown[-1].id if len(found) > ROWS else None,
        receivers={one: FOR_WHOM[one] for one in ROLES if role not in desk.OWN_ALONE or one is role},
        given=request.form,
        faults=faults,
        **_words(),
    )


def _page(
    found: Subscription, status: int, refused: Sequence[Title] = (), secret: str | None = None
) -> Response:
    deliveries = desk.list_deliveries(store(), found.id, number("before"), ROWS + 1)
    return page(
        "subscription",
        status,
        found=found,
        deliveries=deliveries[:ROWS],
        before=deliveries[ROWS - 1].id if len(deliveries) > ROWS else None,
        secret=secret,
        refused=refused,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"states": STATES, "for_whom": FOR_WHOM, "kinds": KINDS, "paused": desk.PAUSED}
