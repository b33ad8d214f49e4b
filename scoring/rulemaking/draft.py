"""A draft of a pack: what keeps it from becoming law, what it changes, and who would move by it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import add_days
from rules.fault import Fault, PackError
from rules.identity import identity
from rules.library.loader import load_kept, load_vocabulary, ruling, vocabulary_names
from rules.model import Pack
from rules.titles import Title
from rules.tools.lint import Finding, Severity, lint_pack
from scoring.answers.examples import ExampleResult, count_examples, run_examples
from scoring.answers.simulate import Simulation, simulate
from scoring.characters.visible import one_line
from scoring.facts.snapshot import NothingKnownError, take_snapshot
from scoring.store import Store
from scoring.store.computed import computed_of_text
from scoring.store.models import StoredPack
from scoring.store.packs import PackText, text_of_shared
from scoring.store.proposals import OPEN, Proposal
from scoring.store.rulebook import disagreements, known_in
from scoring.store.timelines import Term
from scoring.store.workspace import workspace

VERSION, DAY = "version", "in_force.from"
"""The paths of what a draft is refused for, whatever its rules say."""
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
"""What a version may be called (own choice): nothing hidden, and nothing that is full-width of another."""

MOST_TRIED = 500_000
"""Rules times examples that a draft may have: as many take some seconds to try."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What keeps a draft from becoming law, whatever its rules say.

    :param field: the path of what in the draft says it; empty where nothing does.
    """

    title: Title
    field: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that may become a version of a pack.

    :param before: the version that would rule on its first day without it; None where none would.
    :param findings: what lint has to say; errors keep it from becoming law.
    :param examples: what became of the pack's own examples; one that fails keeps it from becoming law.
    :param refusals: whatever else keeps it from becoming law.
    """

    text: PackText
    pack: Pack
    before: Pack | None
    findings: tuple[Finding, ...]
    examples: tuple[ExampleResult, ...]
    refusals: tuple[Refusal, ...]

    @property
    def failed(self) -> list[ExampleResult]:
        """The examples that fail."""
        return [result for result in self.examples if not result.passed]

    @property
    def reasons(self) -> list[Title]:
        """All that keeps it from becoming law."""
        errors = [found for found in self.findings if found.severity is Severity.ERROR]
        return [
            *(refusal.title for refusal in self.refusals),
            *(Title(f"规则检查:{found.title.zh}", f"lint: {found}") for found in errors),
            *(
                Title(
                    f"{one.place}:示例应为{one.expected.zh},实为{one.got.zh}",
                    f"{one.place}: an example expects {one.expected.en} and gets {one.got.en}",
                )
                for one in self.failed
            ),
        ]


def examine(store: Store, text: str, file: str, begins: dt.date | None, on: dt.date) -> Draft:
    """What there is to say of a text that is to rule from a day on, before anybody decides.

    :param file: the name that faults are reported under.
    :param begins: the day from which it is to rule; None: the day that the text names.
    :param on: the present day.
    :raises PackError: with every fault of a text that is no pack.

    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import PACKS
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> found = examine(small_store(), text, "draft.yaml", date(2027, 3, 1), date(2027, 1, 1))
    >>> found.reasons[0].en.partition(": ")[2]
    'the draft says it is in force from 2026-01-01, not from 2027-03-01: write the day there'
    """
    pack, findings, examples = _tried(text, file)
    source = PackText(text, file, text_of_shared(pack))
    with store.reading() as session:
        before = before_of(session, pack)
        refusals = (*_said_otherwise(text, pack, begins), *hindrances(session, pack, on))
    return Draft(source, pack, before, findings, examples, refusals)


@lru_cache(maxsize=8)
def _tried(text: str, file: str) -> tuple[Pack, tuple[Finding, ...], tuple[ExampleResult, ...]]:
    """A text as a pack, and what lint and its own examples say: kept, for it takes a second and is asked for
    whenever the draft is looked at.
    """
    pack = load_kept(text, file)

    def tried() -> tuple[tuple[Finding, ...], tuple[ExampleResult, ...]]:
        if (much := count_examples(pack) * len(pack.rules)) > MOST_TRIED:
            raise PackError([_too_much(pack, much)])
        return tuple(lint_pack(pack, text)), tuple(run_examples(pack))

    findings, examples = computed_of_text(("draft", text, file), tuple, tried)
    return pack, findings, examples


def _too_much(pack: Pack, much: int) -> Fault:
    message = f"its rules times its examples are {much:,}, more than are tried while somebody waits"
    return Fault(pack.place, "examples", "", message, f"fewer examples: at most {MOST_TRIED:,} in all")


def before_of(session: Session, pack: Pack) -> Pack | None:
    """The version that would rule on a pack's first day without it; None where none would."""
    others = [one for one in known_in(session) if one.id == pack.id and one.version != pack.version]
    return ruling(others, pack.in_force_from)


def identity_of(before: Pack | None) -> str:
    """By which a person who is shown a difference names the version that it is from."""
    return "-" if before is None else identity(before)


def movers(store: Store, draft: Draft) -> Simulation | None:
    """Who would move on the draft's first day, by what is known now; None where nobody is known, or no
    version rules without it.

    :raises SimulationError: where the two can't be compared.
    """
    if draft.before is None:
        return None
    with workspace() as duck:
        try:
            take_snapshot(store, draft.pack.vocabulary, duck)
        except NothingKnownError:
            return None
        return simulate(duck, draft.before, draft.pack, draft.pack.in_force_from)


def hindrances(session: Session, pack: Pack, on: dt.date) -> Iterator[Refusal]:
    """What of the versions, proposals and days that there are keeps a version from becoming law on a day.

    What was published of a day that has come is not undone by rules that come later. A run of a day to come
    is nobody's grade, and the next run tells of that day by the new rules.
    """
    versions = known_in(session)
    known = [version for version in versions if version.id == pack.id]
    if not known:
        yield Refusal(no_pack(pack, versions), "pack")
        return
    yield from _taken(session, pack, known)
    yield from (Refusal(title, "subject") for title in foreign(pack, known[-1]))
    begins = pack.in_force_from
    if begins <= on:
        told = Title(
            f"施行日期{begins}应不早于明日({add_days(on, 1)})",
            f"it would be in force from {begins}: tomorrow ({add_days(on, 1)}) is the first day that can be",
        )
        yield Refusal(told, DAY)
    yield from (Refusal(title, DAY) for title in _held(session, pack))
    yield from map(Refusal, disagreements(session, pack.id))


def _said_otherwise(text: str, pack: Pack, begins: dt.date | None) -> Iterator[Refusal]:
    """The approved text itself says from when it is in force: nobody reads a day elsewhere (own choice)."""
    if begins in (None, pack.in_force_from):
        return
    line = next((n for n, said in enumerate(text.splitlines(), 1) if said.startswith("in_force:")), 1)
    place = f"{pack.place.file}:{line}"
    told = Title(
        f"{place}:草案写明自{pack.in_force_from}起施行,与{begins}不一致;请在该处改写施行日期",
        f"{place}: the draft says it is in force from {pack.in_force_from}, not from {begins}: write the day"
        " there",
    )
    yield Refusal(told, DAY)


def _taken(session: Session, pack: Pack, known: list[Pack]) -> Iterator[Refusal]:
    """A version has its own name, also after one that was announced and withdrawn, and its own first day."""
    if not _VERSION.fullmatch(pack.version):
        shown = one_line(pack.version[:40])
        told = Title(
            f"版本号{shown!r}不能使用:应为1至40个半角字母、数字、点、横线或下划线,如2027.1",
            f"a version can't be called {shown!r}: 1 to 40 letters, digits, dots, hyphens and underscores,"
            " such as 2027.1",
        )
        yield Refusal(told, VERSION)
    announced = sa.select(StoredPack.hash).join(Term, Term.pack_hash == StoredPack.hash)
    same = announced.where(StoredPack.pack_id == pack.id, StoredPack.version == pack.version).limit(1)
    if pack.version in {version.version for version in known} or session.scalar(same) is not None:
        names = ", ".join(version.version for version in known)
        told = Title(
            f"{pack.id}已有过版本{pack.version},请改用其他版本号;现有:{names}",
            f"{pack.id} has, or had, a version {pack.version}: give it another name. There are: {names}",
        )
        yield Refusal(told, VERSION)
        return
    for version in known:
        if version.in_force_from == pack.in_force_from:
            told = Title(
                f"{pack.id} {version.version}同样自{pack.in_force_from}起施行,请另定施行日期",
                f"{pack.id} {version.version} begins on {pack.in_force_from} as well: choose another day",
            )
            yield Refusal(told, DAY)


def no_pack(pack: Pack, versions: Iterable[Pack]) -> Title:
    """That there is no pack of that name, and which there are."""
    names = ", ".join(sorted({version.id for version in versions}))
    return Title(
        f"没有名为{pack.id}的评价规则;可用:{names};新的评价规则,其首个版本放入程序的目录rules/library/packs",
        f"no pack is called {pack.id}; there are: {names}; the first version of a new one is put into the"
        " program's folder rules/library/packs",
    )


def foreign(pack: Pack, last: Pack) -> Iterator[Title]:
    """Its subjects are those that the versions before grade, as the program knows them."""
    name, wanted = pack.vocabulary.id, last.vocabulary.id
    if name != wanted or name not in vocabulary_names():
        yield Title(
            f"{pack.id}的词汇表应为{wanted},草案用的是{name}",
            f"{pack.id} is about {wanted}, and the draft about {name}",
        )
    elif pack.vocabulary != load_vocabulary(name):
        yield Title(
            f"草案自带的词汇表{name}与本系统的不同,请引用本系统的词汇表",
            f"the draft brings a vocabulary {name} of its own: name the shared one",
        )


def _held(session: Session, pack: Pack) -> Iterator[Title]:
    """A run that is proposed of a day to come is by the rules that those who would fall were told."""
    begins = pack.in_force_from
    held = session.scalar(sa.select(Proposal).filter_by(pack_id=pack.id, state=OPEN).limit(1))
    if held is not None and begins <= held.as_of:
        yield Title(
            f"拟发布评价{held.id}号的评价基准日为{held.as_of},施行日期{begins}应在其后,或先撤回该拟发布评价",
            f"proposal {held.id} is of {held.as_of}: {begins} has to be after that day, or it is withdrawn"
            " first",
        )
