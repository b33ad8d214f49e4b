"""The process in which durable_rules lives: ``python -m scoring.live.worker SOCKET``.

It reads a request a line from the socket that it inherits and answers with a line, until the other end is
closed. It holds definitions and nothing else: every fact that a request brings is gone when it is answered,
so that the process may be killed at any moment. Requests are made by :mod:`scoring.live.supervisor` alone, of
whole numbers.

The timer threads of durable_rules are not started: nothing here waits for a clock, and its tracker knows of
crashes in them.
"""

from __future__ import annotations

import json
import resource
import socket
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from durable.engine import Host, MessageNotHandledException

RULES_TOGETHER = 60
"""The most rules of one rule set: its matcher keeps up to 64 paths of one message in mind."""

LARGEST_BYTES = 2**30
"""What the process may allocate; past it an allocation fails, and the process ends."""

Fact = Mapping[str, int]


class _Host(Host):  # type: ignore[misc]  # durable_rules has no types
    def _run(self) -> None:
        """No timers."""


class Rules:
    """Conditions that one fact meets or not.

    :param patterns: each a list of parts that hold together; its position is its number.
    """

    def __init__(self, host: _Host, name: str, patterns: Sequence[Sequence[Any]]) -> None:
        self._host, self._ids = host, count()
        self._met: list[int] = []
        self._sets: list[str] = []
        for start in range(0, len(patterns), RULES_TOGETHER):
            some = dict(enumerate(patterns[start : start + RULES_TOGETHER], start))
            rules = {
                f"r{n}": {"all": [{"m": {"$and": list(p)}}], "run": self._noting(n)} for n, p in some.items()
            }
            self._sets.append(f"{name}/{start}")
            host.set_rulesets({self._sets[-1]: rules})

    def answer(self, facts: Sequence[Fact]) -> list[list[int]]:
        """For each fact the numbers of the patterns that it meets."""
        return [self._match(fact) for fact in facts]

    def _match(self, fact: Fact) -> list[int]:
        self._met.clear()
        for name in self._sets:
            message = {**fact, "id": next(self._ids)}
            if _asserted(self._host, name, message):
                self._host.retract_fact(name, message)
        return sorted(set(self._met))

    def _noting(self, number: int) -> Callable[[Any], None]:
        def note(_: Any) -> None:
            self._met.append(number)

        return note


class Sequences:
    """A pattern of several facts, one after the other.

    The fact that completes the pattern is asserted first, then those before it, the nearest first, until the
    rule fires: so the join begins at one fact, and the match found is the one whose first fact is the latest.

    :param events: how many facts there are.
    :param days: the last comes less than so many days after the first; None for no limit.
    """

    def __init__(self, host: _Host, name: str, events: int, days: int | None) -> None:
        self._host, self._name, self._events, self._days = host, name, events, days
        self._ids, self._found = count(), list[list[int]]()
        parts = [{f"b{events}": {"$and": [{"last": 1}, {f"e{events}": 1}]}}]
        parts += [_predecessor(number, events, days) for number in range(events - 1, 0, -1)]
        host.set_rulesets({name: {"pattern": {"all": parts, "run": self._note}}})

    def answer(self, facts: Sequence[Fact]) -> list[list[int]]:
        """For each fact that completes the pattern, the positions of the facts of the match.

        :param facts: in order; ``e1`` … whether it is the event of that number, ``day``, and ``u1`` … the day
            before which the next event must come.
        """
        last = f"e{self._events}"
        return [found for end, fact in enumerate(facts) if fact[last] and (found := self._match(facts, end))]

    def _match(self, facts: Sequence[Fact], end: int) -> list[int] | None:
        self._found.clear()
        asserted = []
        for position in range(end, self._earliest(facts, end) - 1, -1):
            message = {**facts[position], "n": position, "last": int(position == end), "id": next(self._ids)}
            if _asserted(self._host, self._name, message):
                asserted.append(message)
            if self._found:
                break
        for message in asserted:
            self._host.retract_fact(self._name, message)
        return max(self._found, default=None)

    def _earliest(self, facts: Sequence[Fact], end: int) -> int:
        """The first position that is not too long ago."""
        if self._days is None:
            return 0
        return bisect_right(facts, facts[end]["day"] - self._days, key=lambda fact: fact["day"])

    def _note(self, closure: Any) -> None:
        self._found.append([getattr(closure, f"b{n}").n for n in range(1, self._events + 1)])


def _predecessor(number: int, events: int, days: int | None) -> dict[str, Any]:
    """The event of a number, that comes before the next one and while nothing has ended it.

    The last part is always true: durable_rules 2.0.28 reads past the end of a join whose last part is false.
    """
    following = f"b{number + 1}"
    parts: list[Any] = [{"last": 0}, {f"e{number}": 1}]
    parts += [{"$lt": {"n": {following: "n"}}}, {"$gt": {f"u{number}": {following: "day"}}}]
    if number == 1 and days is not None:
        parts.append({"$gt": {"day": {"$sub": {"$l": {f"b{events}": "day"}, "$r": days}}}})
    return {f"b{number}": {"$and": [*parts, {"$lte": {"last": {following: "last"}}}]}}


class Chart:
    """A statechart; each request is the life of one case from its start.

    :param states: state → way → ``{"to": state, "move": its name, "when": parts that hold together}``.
    """

    def __init__(self, host: _Host, name: str, states: Mapping[str, Mapping[str, Any]]) -> None:
        self._host, self._name, self._cases = host, name, count(1)
        self._taken: list[str] = []
        chart = {
            state: {
                label: {
                    "all": [{"m": {"$and": list(way["when"])}}],
                    "to": way["to"],
                    "run": self._noting(way["move"]),
                }
                for label, way in ways.items()
            }
            for state, ways in states.items()
        }
        host.set_rulesets({f"{name}$state": chart})

    def answer(self, messages: Sequence[Fact]) -> list[str | None]:
        """For each message the move that it led to; from the first that led to none on, None."""
        case, answers = next(self._cases), []
        for number, message in enumerate(messages):
            self._taken.clear()
            with suppress(MessageNotHandledException):
                self._host.post(self._name, {**message, "sid": case, "id": number})
            answers.append(self._taken[0] if self._taken else None)
            if not self._taken:
                break  # the message would wait, and might be taken later
        self._host.delete_state(self._name, case)
        return answers + [None] * (len(messages) - len(answers))

    def _noting(self, move: str) -> Callable[[Any], None]:
        def note(_: Any) -> None:
            self._taken.append(move)

        return note


KINDS: Mapping[str, Callable[..., Any]] = {"rules": Rules, "sequences": Sequences, "chart": Chart}


class Worker:
    """What has been defined, by name."""

    def __init__(self) -> None:
        self._host = _Host()
        self._defined: dict[str, Any] = {}

    def answer(self, request: Mapping[str, Any]) -> Any:
        """``{"name", "define": {"kind", …}}`` defines; ``{"name", "ask"}`` asks what is defined."""
        name = request["name"]
        if "define" in request:
            settings = dict(request["define"])
            self._defined[name] = KINDS[settings.pop("kind")](self._host, name, **settings)
            return None
        return self._defined[name].answer(request["ask"])


def _asserted(host: _Host, name: str, message: Fact) -> bool:
    """Whether the fact met some part of some rule; else it is forgotten at once."""
    try:
        host.assert_fact(name, message)
    except MessageNotHandledException:
        return False
    return True


def main() -> None:
    """Answer until there is nobody to answer."""
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BYTES, LARGEST_BYTES))
    worker = Worker()
    with socket.socket(fileno=int(sys.argv[1])) as channel, channel.makefile("rwb") as lines:
        _say(lines, {"answer": "ready"})
        for line in lines:
            try:
                answer = {"answer": worker.answer(json.loads(line))}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            _say(lines, answer)


def _say(lines: Any, answer: Mapping[str, Any]) -> None:
    lines.write(json.dumps(answer).encode() + b"\n")
    lines.flush()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("scoring.live.worker is started by the server alone, with the number of a socket")
    try:
        main()
    except OSError as error:
        sys.exit(f"scoring.live.worker: {error.strerror}")
