"""The feed of changes, its subscriptions, and proof of who was told."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate

from api.http.fields import Halves, Text
from api.http.paging import LARGEST_PAGE, page_of
from api.schemas.records import VocabularyQuery
from rules.titles import halves
from scoring.changes.addresses import LONGEST
from scoring.changes.feed import KINDS, Place, PlaceError
from scoring.changes.subscriptions import ROLES

PLACE = "^[0-9]{1,15}$|^[0-9]{1,15}:.{1,200}$"


class PlaceField(fields.String):
    """A place in the feed: the id of the last item that somebody has."""

    def __init__(self, **kwargs: object) -> None:
        metadata = {"pattern": PLACE, "description": "`next` of an answer, or the id of an item"}
        super().__init__(metadata=metadata, **kwargs)  # type: ignore[arg-type]

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> Place:  # type: ignore[override]
        try:
            return Place.read(str(value))
        except PlaceError as error:
            raise ValidationError([error.title]) from None


class ChangesQuery(Schema):
    """From where on the feed is wanted."""

    after = PlaceField(load_default=Place(0))
    limit = fields.Integer(
        load_default=100,
        validate=validate.Range(1, LARGEST_PAGE),
        metadata={"description": "The most items of an answer"},
    )


class ChangeSchema(Schema):
    """Something that changed. Which of the further fields there are is said by the kind."""

    id = fields.String(required=True, metadata={"description": "Stays the same, however often it is told"})
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    at = fields.DateTime(required=True)
    run = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "That changed the tier; of others the last published by then"},
    )
    pack = fields.String(required=True, allow_none=True)
    pack_hash = fields.String(required=True, allow_none=True)
    subject_id = fields.String(required=True)
    day = fields.Date(
        allow_none=True, metadata={"description": "That the tier is of; of the repair or decision"}
    )
    tier_before = fields.String()
    tier = fields.String()
    vocabulary = fields.String()
    record_id = fields.String()
    authority = fields.String(allow_none=True)
    outcome = fields.String(validate=validate.OneOf(["upheld", "rejected"]))
    alert = fields.String(metadata={"description": "The pattern's id in the pack"})


class ChangesSchema(Schema):
    """Changes in the order of their commits."""

    items = fields.List(fields.Nested(ChangeSchema), required=True)
    next = fields.String(
        required=True,
        metadata={"description": "Pass it as `after`: all before it was read, also where nothing is new"},
    )


class SubscriptionRequest(Schema):
    """A receiver to be told of changes."""

    receiver = Text(longest=100, required=True, metadata={"description": "The receiving system's name"})
    role = fields.String(
        required=True,
        validate=validate.OneOf([role.value for role in ROLES]),
        metadata={
            "description": "regulator: everything; department: of its own records; lender: tiers of subjects "
            "whose consent for monitoring holds at that moment"
        },
    )
    organisation = Text(longest=100, metadata={"description": "Which department or lender"})
    kinds = fields.List(
        fields.String(validate=validate.OneOf(list(KINDS))),
        load_default=list,
        metadata={"description": "Of which changes; by default all that the role may be told"},
    )
    address = fields.String(
        validate=validate.Length(1, LONGEST),
        metadata={
            "description": "https://…, where it is sent to; without one, the receiver reads the feed and "
            "acknowledges"
        },
    )
    after = PlaceField()


class SubscriptionSchema(Schema):
    """A subscription without its secret."""

    id = fields.Integer(required=True)
    receiver = fields.String(required=True)
    role = fields.String(required=True)
    organisation = fields.String(required=True, allow_none=True)
    kinds = fields.List(fields.String(), required=True)
    address = fields.String(required=True, allow_none=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["active", "failing", "paused", "stopped", "ended"])
    )
    begins = fields.String(required=True)
    place = fields.String(required=True, metadata={"description": "Up to which all is acknowledged"})
    tries = fields.Integer(required=True, metadata={"description": "Of the message that fails"})
    next_at = fields.DateTime(required=True, allow_none=True)
    stopped_at = fields.DateTime(required=True, allow_none=True)
    stopped_why = Halves(halves, allow_none=True)
    created_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True, allow_none=True)


class NewSubscriptionSchema(Schema):
    """A subscription just registered. The secret is shown this once."""

    subscription = fields.Nested(SubscriptionSchema, required=True)
    secret = fields.String(
        required=True, allow_none=True, metadata={"description": "whsec_…, of Standard Webhooks"}
    )


class PlaceBody(Schema):
    """Up to where a receiver has what it read."""

    until = PlaceField(required=True)


class DeliverySchema(Schema):
    """An attempt to tell a receiver, or its acknowledgement of what it read."""

    id = fields.Integer(required=True)
    after = fields.String(required=True)
    until = fields.String(required=True)
    items = fields.Integer(required=True)
    begun_at = fields.DateTime(required=True)
    acknowledged_at = fields.DateTime(required=True, allow_none=True)
    status = fields.Integer(required=True, allow_none=True)
    problem = Halves(halves, allow_none=True)
    by = fields.String(required=True)


class ReceiversQuery(VocabularyQuery):
    """Of which record."""


class ToldSchema(Schema):
    """How a receiver stands to a change."""

    subscription = fields.Integer(required=True)
    receiver = fields.String(required=True)
    way = fields.String(required=True, validate=validate.OneOf(["webhook", "feed"]))
    told_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "The first attempt that was answered"}
    )
    acknowledged_at = fields.DateTime(required=True, allow_none=True)
    attempts = fields.Integer(required=True)


class ProofSchema(Schema):
    """A repair, or an objection that was upheld, and the receivers that were to be told."""

    change = fields.String(required=True)
    kind = fields.String(required=True)
    at = fields.DateTime(required=True)
    day = fields.Date(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    receivers = fields.List(fields.Nested(ToldSchema), required=True)


class ReceiversSchema(Schema):
    """Who was told that a record does not count any more."""

    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    proofs = fields.List(fields.Nested(ProofSchema), required=True)


SubscriptionPage = page_of(SubscriptionSchema, "Subscription")
DeliveryPage = page_of(DeliverySchema, "Delivery")
