"""Histories of operations with faults, each held to a second store on which the same was done without any.

    python -m faults.drive --seed 7 --faults 100 --database sqlite     (in tests/)

Each operation is done by a process of its own, forked from this one, to the store and to its shadow. Where
the one at the store comes through, both must say the same; where it was killed or failed, the store must say
what it said before, or all that the operation says, and nothing between; done again, it must say it all,
once. The same seed does the same again, up to what depends on the clock or on who is first.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import pickle
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from faults.operations import MARKET, OPERATIONS, REFUSALS, Arguments
from faults.shim import Counts, Kind, Shim, build
from faults.state import State, difference, faults, state
from rules.calendar import SHANGHAI
from rules.plan import compile_plan
from scoring.access.anchors import AnchorsError, add_anchor, make_key, read_key, verify_anchored
from scoring.cli.errors import EXPECTED
from scoring.facts import snapshot
from scoring.facts.columns import follow, place
from scoring.runs import batch
from scoring.runs.replay import replay
from scoring.store import StoreError, create_store, open_store

STEPS = 25
"""Operations of a history."""
LONGEST = 120
"""Seconds after which an operation hangs."""
_CLOCKS = (0, 0, 0, -7_200, -100 * 86_400, 3_600)
_REASONS = {Kind.FULL: "full|[Nn]o space", Kind.READONLY: "read|right to write|Read-only"}
"""What a message has to say of a cause."""
_NO_COUNTS = Counts(0, 0, 0, 0)


class FoundError(Exception):
    """Something that must not be."""


@dataclass(frozen=True, slots=True)
class Site:
    """A store, and a folder for files.

    :param url: of the store.
    """

    url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Strike:
    """What goes wrong in an operation: the nth call of its kind."""

    kind: Kind = Kind.NONE
    nth: int = 0
    clock: int = 0
    meanwhile: str = ""

    def __str__(self) -> str:
        clock = f", clock {self.clock:+} s" if self.clock else ""
        return f"{self.kind.name} {self.nth}{f' and {self.meanwhile}' if self.meanwhile else ''}{clock}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended: ok, refused, failed, killed, or broken, which none may be."""

    ended: str
    told: str = ""
    counts: Counts = _NO_COUNTS


class Children:
    """Does things in processes of their own, at noon by their clocks: an hour later is the same day."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        now = dt.datetime.now(SHANGHAI)
        self._to_noon = int((now.replace(hour=12, minute=0, second=0) - now).total_seconds())

    def start(self, action: Callable[[], Any], strike: Strike) -> tuple[int, int]:
        """The process, and the pipe that it tells its outcome by."""
        heard, tells = os.pipe()
        pid = os.fork()
        if pid:
            os.close(tells)
            return pid, heard
        os.close(heard)
        try:
            self._shim.arm(strike.kind, strike.nth, self._to_noon + strike.clock)
            outcome = _outcome(action)
            counts = self._shim.counts()
            self._shim.arm(Kind.NONE)
            os.write(tells, pickle.dumps(Outcome(*outcome, counts)))
        finally:
            os._exit(0)

    def end(self, pid: int, heard: int, meanwhile: Callable[[], None] = lambda: None) -> Outcome:
        """Wait for a process; where it stops on the way, do something and have it go on."""
        with _patience(pid):
            _, status = os.waitpid(pid, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                try:
                    meanwhile()
                finally:
                    os.kill(pid, signal.SIGCONT)
                _, status = os.waitpid(pid, 0)
        with os.fdopen(heard, "rb") as told:
            said = told.read()
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return Outcome("killed" if number == signal.SIGKILL else "broken", f"signal {number}")
        outcome: Outcome = pickle.loads(said) if said else Outcome("broken", "it told nothing")
        return outcome

    def do(
        self,
        action: Callable[[], Any],
        strike: Strike = Strike(),
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Do it, and say how it ended."""
        return self.end(*self.start(action, strike), meanwhile)


def _outcome(action: Callable[[], Any]) -> tuple[str, str]:
    try:
        return "ok", repr(action())[:500]
    except REFUSALS as error:
        return "refused", type(error).__name__
    except (*EXPECTED, AnchorsError) as error:
        return "failed", f"{type(error).__name__}: {error}"[:500]
    except BaseException:
        return "broken", traceback.format_exc()[-3000:]


@contextmanager
def _patience(pid: int) -> Iterator[None]:
    def hangs(*_: object) -> None:
        os.kill(pid, signal.SIGKILL)
        raise FoundError(f"it hangs: no end in {LONGEST} seconds")

    signal.signal(signal.SIGALRM, hangs)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)


@dataclass
class History:
    """One history.

    :ivar store: what faults strike; ``shadow``: what none does.
    :ivar expected: what the shadow says.
    """

    children: Children
    chance: random.Random
    store: Site
    shadow: Site
    expected: State
    struck: Counter[str] = field(default_factory=Counter)
    steps: list[str] = field(default_factory=list)

    def go(self, steps: int) -> None:
        """Do so many operations, the first ones without faults."""
        for number in range(1, steps + 1):
            names = [name for name in OPERATIONS if name != "backup" or "sqlite" in self.store.url]
            weights = [OPERATIONS[name].weight for name in names]
            name = ("subjects", "records", *self.chance.choices(names, weights))[min(number, 3) - 1]
            self._step(number, name, Strike() if number < 3 else None)
        self._replayed()

    def _step(self, number: int, name: str, strike: Strike | None) -> None:
        operation = OPERATIONS[name]
        arguments = operation.draw(self.chance, number)
        self.steps.append(f"step {number}: {name} {arguments}")
        reference = self.children.do(self._action(self.shadow, name, arguments))
        if reference.ended not in ("ok", "refused") and "no subject" not in reference.told:
            raise FoundError(f"without a fault: {reference.ended}, {reference.told}")
        before, after = self.expected, state(self.shadow.url)
        strike = strike or self._strike(reference.counts, operation.logs)
        self.steps[-1] += f"; {strike}"
        outcome = self._struck(name, arguments, strike)
        if strike.meanwhile == "log":
            self._logged(self.shadow)
            before, after = self._with_log(before), state(self.shadow.url)
        self.steps[-1] += f"; {outcome.ended} {outcome.told}"
        self._hold(outcome, reference, before, after, name, arguments, strike)
        self.expected = after

    def _hold(
        self,
        outcome: Outcome,
        reference: Outcome,
        before: State,
        after: State,
        name: str,
        arguments: Arguments,
        strike: Strike,
    ) -> None:
        """Hold the store to what was acknowledged."""
        if outcome.ended == "broken":
            raise FoundError(f"it broke: {outcome.told}")
        if outcome.ended == "failed" != reference.ended and not re.search(
            _REASONS.get(strike.kind, ""), outcome.told
        ):
            raise FoundError("its message does not say why")
        now = self._now()
        if outcome.ended in ("ok", "refused") and (outcome.ended, outcome.told) != (
            reference.ended,
            reference.told,
        ):
            raise FoundError(f"it ended otherwise than {reference}")
        if outcome.ended in ("ok", "refused") and now != after:
            raise FoundError(f"acknowledged, but:\n{difference(after, now)}")
        if now not in (before, after):
            raise FoundError(
                f"half of it is there. Lacking, or too much, to all of it:\n{difference(after, now)}\n"
                f"and to nothing:\n{difference(before, now)}"
            )
        if outcome.ended not in ("ok", "refused") and (now == before or OPERATIONS[name].repeats):
            again = self.children.do(self._action(self.store, name, arguments))
            if again.ended != reference.ended:
                raise FoundError(f"done again, it ended: {again.ended} {again.told}")
            if (now := self._now()) != after:
                raise FoundError(f"done again, it says otherwise:\n{difference(after, now)}")

    def _now(self) -> State:
        with closing(_opened(self.store.url)) as store:
            if found := faults(store):
                raise FoundError("; ".join(found[:5]))
            path = self.store.folder / "anchors"
            if found := list(verify_anchored(store, path, read_key(self.store.folder / "anchor.key")).faults):
                raise FoundError("; ".join(map(str, found[:5])))
        return state(self.store.url)

    def _strike(self, counts: Counts, logs: bool) -> Strike:
        kind = self.chance.choice([*Kind][1:])
        clock = self.chance.choice(_CLOCKS)
        most = counts.of(kind)
        if not most:
            return Strike(clock=clock)
        meanwhile = ""
        if kind is Kind.PAUSED:
            ways = [] if logs else ["log"]
            ways += [] if "sqlite" in self.store.url else ["server", "cut"]
            meanwhile = self.chance.choice(ways) if ways else ""
        return Strike(kind, self.chance.randint(1, most), clock, meanwhile)

    def _struck(self, name: str, arguments: Arguments, strike: Strike) -> Outcome:
        others: list[tuple[int, int]] = []

        def meanwhile() -> None:
            if strike.meanwhile == "log":
                others.append(self.children.start(self._action(self.store, "log", {"number": 0}), Strike()))
                time.sleep(0.01)
            elif strike.meanwhile:
                _interrupt(self.store.url, strike.meanwhile == "server")

        outcome = self.children.do(self._action(self.store, name, arguments), strike, meanwhile)
        if strike.meanwhile == "log" and not others:  # it had ended before
            self._logged(self.store)
        for other in others:
            if (ended := self.children.end(*other)).ended != "ok":
                raise FoundError(f"who came meanwhile: {ended}")
        if strike.kind or strike.clock:
            self.struck[strike.meanwhile or (strike.kind.name if strike.kind else "CLOCK")] += 1
        return outcome

    def _logged(self, site: Site) -> None:
        if (ended := self.children.do(self._action(site, "log", {"number": 0}))).ended != "ok":
            raise FoundError(f"a line in the log: {ended}")

    def _with_log(self, before: State) -> State:
        """What was said before, with the lines that came meanwhile."""
        log = state(self.shadow.url)["audit_entries"]
        return {**before, "audit_entries": log}

    def _action(self, site: Site, name: str, arguments: Arguments) -> Callable[[], Any]:
        def action() -> Any:
            with closing(open_store(site.url)) as store:
                return OPERATIONS[name].do(store, site.folder, arguments)

        return action

    def _replayed(self) -> None:
        """Every run can be had again, whatever struck on the way."""

        def action() -> Any:
            with closing(open_store(self.store.url)) as store:
                runs = sum(self.expected["runs"].values())
                with store.reading() as session:
                    numbers = [n for (n,) in session.connection().exec_driver_sql("SELECT id FROM runs")]
                found = [replay(store, number).differences for number in numbers]
                return len(numbers) == runs and not any(found)

        if (outcome := self.children.do(action)).told != "True":
            raise FoundError(f"its runs can't be had again: {outcome.told}")


def _opened(url: str) -> Any:
    """A server that was killed is back after a while."""
    until = time.monotonic() + LONGEST
    while True:
        try:
            return open_store(url)
        except StoreError:
            if "sqlite" in url or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _interrupt(url: str, server: bool) -> None:
    """Kill the server, which comes back by itself, or cut its connections."""
    with psycopg.connect(url, autocommit=True) as admin:
        rows = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        for (pid,) in rows[:1] if server else rows:
            if server:
                os.kill(pid, signal.SIGKILL)
            else:
                admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    if server and rows:
        _opened(url).close()


class Sites:
    """Makes stores: copies of an empty one.

    :param base: ``sqlite:///directory``, or the maintenance database of a PostgreSQL server.
    """

    def __init__(self, base: str, folder: Path) -> None:
        self._base, self._folder = base, folder
        self._is_sqlite = base == "sqlite"
        if self._is_sqlite:
            create_store(f"sqlite:///{folder / 'empty.db'}").close()
        else:
            self._admin("CREATE DATABASE faults_empty")
            create_store(self._url("faults_empty")).close()

    def make(self, name: str) -> Site:
        """One of the name."""
        folder = self._folder / name
        folder.mkdir()
        url = f"sqlite:///{folder / 'xinheng.db'}"
        if self._is_sqlite:
            shutil.copy(self._folder / "empty.db", folder / "xinheng.db")
        else:
            self._admin(f"CREATE DATABASE {name} TEMPLATE faults_empty")
            url = self._url(name)
        make_key(folder / "anchor.key")
        return Site(url, folder)

    def drop(self, site: Site) -> None:
        """Have it go."""
        if not self._is_sqlite:
            self._admin(f"DROP DATABASE {site.folder.name} WITH (FORCE)")
        shutil.rmtree(site.folder)

    def _url(self, name: str) -> str:
        return self._base.replace("/postgres?", f"/{name}?")

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self._base, autocommit=True) as admin:
            admin.execute(statement)


def drive(base: str, seed: int, number: int, folder: Path) -> Counter[str]:
    """Histories from a seed on, until so many faults have struck; how many of each kind.

    :raises FoundError: with the history that led there.
    """
    children, sites, struck = Children(Shim()), Sites(base, folder), Counter[str]()
    while sum(struck.values()) < number:
        store, shadow = sites.make(f"store_{seed}"), sites.make(f"shadow_{seed}")
        for site in (store, shadow):
            children.do(lambda site=site: _begin(site))  # type: ignore[misc]
        history = History(children, random.Random(seed), store, shadow, state(shadow.url))
        try:
            history.go(min(STEPS, max(5, number - sum(struck.values()) + 3)))
        except (FoundError, StoreError, AnchorsError) as error:
            told = "\n".join(history.steps)
            raise FoundError(f"seed {seed}\n{told}\n{error}") from None
        struck += history.struck
        for site in (store, shadow):
            sites.drop(site)
        seed += 1
    return struck


def _warm(folder: Path) -> None:
    """Have this process know what each of its children would learn anew: vocabularies, headers, the plan."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'xinheng.db'}"
    with closing(create_store(url)) as store:
        for number, name in enumerate(("subjects", "records", "submit"), start=1):
            OPERATIONS[name].do(store, folder, OPERATIONS[name].draw(random.Random(number), number))
    compile_plan(MARKET)
    state(url)


def _begin(site: Site) -> None:
    with closing(open_store(site.url)) as store:
        key = read_key(site.folder / "anchor.key")
        add_anchor(store, site.folder / "anchors", key, "cli:li", dt.datetime.now(dt.UTC), begin=True)


def main() -> None:
    """Do as the arguments say, in a process that was started with the shim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--database", default="sqlite", help="sqlite, or the URL of the database postgres")
    asked = parser.parse_args()
    if "shim.so" not in os.environ.get("LD_PRELOAD", ""):
        with tempfile.TemporaryDirectory() as made:
            library = build(Path(made))
            environment = {**os.environ, "LD_PRELOAD": str(library)}
            line = [sys.executable, "-m", "faults.drive", *sys.argv[1:]]
            sys.exit(os.spawnve(os.P_WAIT, sys.executable, line, environment))
    snapshot.FEW = batch.FEW = 1  # type: ignore[assignment]
    follow.BUCKET_ROWS, follow.RECENT_ROWS = 16, 12
    os.environ.pop(place.VARIABLE, None)
    told, code = "", 0
    with tempfile.TemporaryDirectory(prefix="faults-") as made:
        os.environ["XDG_CACHE_HOME"] = os.environ["XINHENG_TEMP_DIRECTORY"] = made
        try:
            _warm(Path(made, "warm"))
            gc.freeze()
            struck = drive(asked.database, asked.seed, asked.faults, Path(made))
            told = f"{sum(struck.values())} faults: {dict(sorted(struck.items()))}"
        except FoundError as error:
            told, code = str(error), 1
    print(told, flush=True)
    os._exit(code)  # libraries complain of what is not cleared up


if __name__ == "__main__":
    main()
