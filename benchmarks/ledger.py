"""Ratios of times measured beside one another, so that a busy machine slows both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, process_time

from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 5
FEW_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """Something to compare with: run before every round of the benchmark.

    :param title: of the ratio: the benchmark's time a record over this one's.
    :param records: how many records one run goes through.
    :param aim: what the ratio should be.
    """

    title: str
    run: Callable[[], object]
    records: int
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the work, or the whole of it.

    :param aim: what its time should be, as a multiple of the least.
    """

    title: str
    run: Callable[[], object]
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A run that notes its seconds by the wall, and those of this process on all processors."""

    run: Callable[[], object]
    rounds: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self) -> None:
        wall, processor = perf_counter(), process_time()
        self.run()
        self.rounds.append((perf_counter() - wall, process_time() - processor))


@dataclass(slots=True)
class Ledger:
    """The ratios of a run, as lines of a table."""

    lines: list[str] = field(default_factory=list)

    def measure(
        self,
        benchmark: BenchmarkFixture,
        run: Callable[[], object],
        records: int,
        others: Sequence[Beside],
        elsewhere: bool = False,
    ) -> None:
        """Times it and the others in turn, after a round to warm up, and notes the ratios of the rounds.

        :param elsewhere: it runs in another process, so that its processor time is not known.
        """
        own, clocks = Clock(run), [Clock(other.run) for other in others]

        def setup() -> None:
            for clock in clocks:
                clock()

        benchmark.pedantic(own, setup=setup, rounds=ROUNDS, warmup_rounds=1)
        for other, clock in zip(others, clocks, strict=True):
            self._note(other.title, own, clock, other.records / records, other.aim, elsewhere)

    def steps(self, benchmark: BenchmarkFixture, least: Step, steps: Sequence[Step], whole: Step) -> None:
        """Times all of them in turn, the whole last, and notes what each is of the least; in fewer rounds,
        for the whole takes long.

        :param least: what cannot be done without, on the same data.
        """
        *clocks, own = (Clock(step.run) for step in (least, *steps, whole))

        def setup() -> None:
            for clock in clocks:
                clock()

        benchmark.pedantic(own, setup=setup, rounds=FEW_ROUNDS, warmup_rounds=1)
        for step, clock in zip((least, *steps, whole), (*clocks, own), strict=True):
            self._note(step.title, clock, clocks[0], 1, step.aim)

    def _note(
        self, title: str, mine: Clock, theirs: Clock, share: float, aim: str, elsewhere: bool = False
    ) -> None:
        rounds = list(zip(mine.rounds, theirs.rounds, strict=True))[1:]
        if not rounds:
            return
        wall = sorted(m[0] / t[0] * share for m, t in rounds)
        processor = "-" if elsewhere else f"{median(m[1] / t[1] * share for m, t in rounds):,.2f}"
        seconds = "-" if elsewhere else f"{median(m[1] for m, _ in rounds):,.2f}"
        spread = f"{median(wall):>10,.2f}{wall[0]:>11,.2f} …{wall[-1]:>9,.2f}{processor:>11}{seconds:>9}"
        self.lines.append(f"{title:42}{spread}  {aim}".rstrip())

    def table(self) -> str:
        """The ratios: of time (median, least and greatest of the rounds), of processor time; the processor
        seconds of a run (median); the aim of the ratio."""
        head = f"{'':42}{'time':>10}{'its rounds':>22}{'processor':>11}{'seconds':>9}  aim"
        return "\n".join([head, *self.lines])
