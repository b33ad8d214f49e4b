"""Subscriptions: receivers that are told of changes, and each attempt."""

from __future__ import annotations

from typing import Any

from flask import url_for

from api.around.auth import who
from api.around.context import clock, settings, store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import NumberedPageQuery, page
from api.http.problems import Problem, fail
from api.resources.runs import NUMBER
from api.schemas.changes import (
    DeliveryPage,
    NewSubscriptionSchema,
    PlaceBody,
    SubscriptionPage,
    SubscriptionRequest,
    SubscriptionSchema,
)
from scoring.access.keys import Role
from scoring.changes import subscriptions
from scoring.changes.subscriptions import (
    Subscription,
    SubscriptionConflictError,
    SubscriptionError,
    Wanted,
)

blueprint = Blueprint(
    "subscriptions", __name__, url_prefix="/v1/subscriptions", description="Receivers of changes"
)


@blueprint.get("")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, SubscriptionPage)
def list_subscriptions(query: dict[str, Any]) -> dict[str, Any]:
    """Subscriptions by number, without their secrets; a department or a lender sees its own alone."""
    return page(
        lambda limit: subscriptions.list_subscriptions(store(), query.get("cursor") or 0, limit, who()),
        query,
        lambda one: one.id,
    )


@blueprint.get(f"/{NUMBER}subscription_id>")
@blueprint.answers(200, SubscriptionSchema)
def get_subscription(subscription_id: int) -> Subscription:
    """A subscription: how far it is, and how it goes."""
    return subscriptions.get_subscription(store(), subscription_id, who())


@blueprint.get(f"/{NUMBER}subscription_id>/deliveries")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, DeliveryPage)
def list_deliveries(query: dict[str, Any], subscription_id: int) -> dict[str, Any]:
    """Each attempt to tell a receiver, and each acknowledgement, the newest first."""
    return page(
        lambda limit: subscriptions.list_deliveries(
            store(), subscription_id, query.get("cursor"), limit, who()
        ),
        query,
        lambda one: one.id,
    )


@blueprint.post("")
@blueprint.body(SubscriptionRequest)
@blueprint.answers(201, NewSubscriptionSchema)
def post_subscription(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Register a receiver; a department or a lender registers its own, five at a time.

    The secret that signs what is sent to it is in this answer and nowhere else.
    """
    wanted = Wanted(**(body | {"role": Role(body["role"])}))
    try:
        made, secret = subscriptions.subscribe(store(), who(), wanted, settings().pack, clock())
    except SubscriptionError as error:
        fault = {"location": "json", "field": error.field, "message": error.title}
        raise Problem("invalid", error.title, [fault]) from None
    place = {"Location": url_for("subscriptions.get_subscription", subscription_id=made.id)}
    return {"subscription": made, "secret": secret}, 201, place


@blueprint.delete(f"/{NUMBER}subscription_id>")
@blueprint.answers(200, SubscriptionSchema)
@blueprint.describe(parameters=[PARAMETER])
def end_subscription(subscription_id: int) -> Subscription:
    """End a subscription: nothing is sent from now on; what was told stays on record."""
    try:
        return subscriptions.end_subscription(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        fail("conflict", error.title)


@blueprint.post(f"/{NUMBER}subscription_id>/resumptions")
@blueprint.answers(200, SubscriptionSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_resumption(subscription_id: int) -> Subscription:
    """Go on at once with a subscription that was stopped or paused, or whose message failed: from what failed
    on, so that nothing is left out.
    """
    try:
        return subscriptions.resume(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        fail("conflict", error.title)


@blueprint.post(f"/{NUMBER}subscription_id>/pauses")
@blueprint.answers(200, SubscriptionSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_pause(subscription_id: int) -> Subscription:
    """Send nothing to a receiver until it is resumed; what comes meanwhile is sent then."""
    try:
        return subscriptions.pause(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        fail("conflict", error.title)


@blueprint.post(f"/{NUMBER}subscription_id>/secrets")
@blueprint.answers(201, NewSubscriptionSchema)
def post_secret(subscription_id: int) -> tuple[dict[str, Any], int]:
    """Have what is sent from now on signed by another secret. It is in this answer and nowhere else."""
    try:
        renewed, secret = subscriptions.renew_secret(store(), who(), subscription_id, clock())
    except SubscriptionConflictError as error:
        fail("conflict", error.title)
    return {"subscription": renewed, "secret": secret}, 201


@blueprint.post(f"/{NUMBER}subscription_id>/acknowledgements")
@blueprint.body(PlaceBody)
@blueprint.answers(200, SubscriptionSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_acknowledgement(body: dict[str, Any], subscription_id: int) -> Subscription:
    """Say that the receiver has everything of the feed up to a place. To say it again changes nothing.

    A department's or lender's key acknowledges for its own subscriptions, a regulator's for those of
    everything.
    """
    try:
        return subscriptions.acknowledge(store(), who(), subscription_id, body["until"], clock())
    except SubscriptionConflictError as error:
        fail("conflict", error.title)
