"""Parts of a pack that come whole, or say what they lack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from rules.fault import Fault
from rules.library.loader import load_text

Faults = Callable[[str], list[Fault]]


def test_a_consequence_gives_no_points(sound: str) -> None:
    text = f"{sound}consequences: [{{id: talk, title: Talk, when: faults > 3, basis: own-choice}}]\n"
    [talk] = [rule for rule in load_text(text, "sound.yaml").rules if rule.consequence]
    assert talk.points is not None
    assert talk.points.steps == ((dt.date.min, 0),)


def supervision(*tiers: str) -> str:
    """What those tiers mean."""
    return "supervision: {" + ", ".join(f"{tier}: {{sample_share: 0.05}}" for tier in tiers) + "}\n"


def test_every_tier_is_supervised_or_none(sound: str, faults: Faults) -> None:
    assert load_text(sound, "sound.yaml").supervision == ()
    whole = load_text(sound + supervision("B", "A"), "sound.yaml").supervision
    assert [(entry.tier, entry.valid_months, entry.unprompted_visits) for entry in whole] == [
        ("A", 12, True),
        ("B", 12, True),
    ]
    [missing] = faults(sound + supervision("A"))
    assert (missing.field, missing.message) == ("supervision", "tier B is missing")
    [unknown] = faults(sound + supervision("A", "B", "C"))
    assert (unknown.field, unknown.message, unknown.hint) == ("supervision.C", "no such tier", "one of A, B")


@pytest.mark.parametrize("share", ["-0.01", "1.01", "some"])
def test_a_share_is_from_nothing_to_all(sound: str, faults: Faults, share: str) -> None:
    for right in ("0", "1"):
        load_text(sound + supervision("A", "B").replace("0.05", right), "sound.yaml")
    assert faults(sound + supervision("A", "B").replace("0.05", share, 1))[0].message == "not a share"


@pytest.mark.parametrize("share", ["-0.01", "1.01", "some"])
def test_what_a_step_of_decay_keeps_is_a_share(sound: str, faults: Faults, share: str) -> None:
    def decaying(keep: str) -> str:
        assert "decay: linear" in sound
        return sound.replace("decay: linear", f"decay: [{{after: 6, keep: {keep}}}]")

    for right in ("0", "1"):
        load_text(decaying(right), "sound.yaml")
    assert faults(decaying(share))[0].message == "not a share"
