"""Anchors of the audit log: signed lines in a file that grows, kept from those who may write to the store.

Each line says when it was made, the number and hash of the log's last entry then, and a signature:
HMAC-SHA256 by a key that is not in the database, over the line and the signature of the line before. So a
line that was altered, moved or taken out of the middle is found by the file alone. Lines cut off at the end,
or an older file put back, are found by the log, which has an entry for each anchor. Where log and file were
both taken back to the same older state, only the date of the last anchor tells, and whoever else has the
lines (the journal).
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rules.titles import Title, TitledError, system_title
from scoring.access.audit import GENESIS, Anchor, AuditLog, Event, Fault, Verification, entries, verify
from scoring.store import Store

ACTION = "audit.anchor"
SHORTEST_KEY = 32
_MOMENT = r"[\dT:+-]"
_TORN = re.compile(
    rf"{_MOMENT}{{1,25}}|{_MOMENT}{{25}} (\d*|\d+ [\da-f]{{0,64}}|\d+ [\da-f]{{64}} [\da-f]{{0,63}})"
)
"""The beginning of an anchor: of one whose writing ended with the process, or with the room on the disk."""
_OTHERS = 0o037
"""Whom a key's file must not be open to; systemd gives a service its credentials with an ACL (mode 0440)."""


class AnchorsError(TitledError):
    """The anchors or their key can't be used; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class SignedAnchor:
    """A line of the file."""

    at: dt.datetime
    anchor: Anchor
    signature: str

    def __str__(self) -> str:
        return f"{_text(self.at, self.anchor)} {self.signature}"


@dataclass(frozen=True, slots=True)
class AnchoredVerification:
    """What a check of log and anchors found.

    :param last: the last anchor.
    :param behind: how many entries came after it: nothing outside of the store speaks for them.
    """

    log: Verification
    faults: tuple[Title, ...]
    last: SignedAnchor
    behind: int


def read_key(path: Path) -> bytes:
    """The key that signs anchors.

    :raises AnchorsError: where there is none, others may read it or it is too short.
    """
    try:
        with path.open("rb") as file:
            mode, key = os.fstat(file.fileno()).st_mode, file.read().strip()
    except OSError as error:
        raise _failed(_KEY, path, "读取", "read", error) from None
    if mode & _OTHERS:
        raise AnchorsError(
            Title(
                f"他人可读密钥{path}:请执行chmod 600;已被他人读取的,请重新生成",
                f"others may read the key {path}: chmod 600, and make a new one if somebody did",
            )
        )
    if len(key) < SHORTEST_KEY:
        raise AnchorsError(
            Title(
                f"密钥{path}太短:须为{SHORTEST_KEY}个以上随机字符",
                f"the key {path} is too short: right are {SHORTEST_KEY} random characters or more",
            )
        )
    return key


def make_key(path: Path) -> None:
    """Make a new key, readable for its owner alone.

    :raises AnchorsError: where there is a file of that name, or none can be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
    except OSError as error:
        raise _failed(_KEY, path, "生成", "made", error) from None


def add_anchor(
    store: Store, path: Path, key: bytes, actor: str, now: dt.datetime, begin: bool = False
) -> SignedAnchor:
    """Check log and anchors, and anchor the log's end.

    :param actor: who does it, for the log.
    :param begin: begin a file: there must be no line yet. Without it there must be one, so that a file that
        was removed is not begun anew in silence.
    :raises AnchorsError: where the log or the anchors have faults, or the file can't be written.
    """
    with _turn(path, fcntl.LOCK_EX, begin):
        known = _begun(path) if begin else _anchors(path)
        if begin:
            log, before = verify(store), ""
            _refuse(told(log.faults))
        else:
            found = _checked(store, path, known, key)
            log, before = found.log, found.last.signature
            _refuse(found.faults)
        made = _signed(key, before, now, log.head)
        _append(path, made)
        file = made.signature if begin else known[0].signature
        details = {"file": file[:16], "number": len(known) + 1, "entry": log.head.seq}
        AuditLog(store).write([Event(actor, "operator", ACTION, details=details)])
        return made


def verify_anchored(store: Store, path: Path, key: bytes) -> AnchoredVerification:
    """Check the log, the file of anchors, and each by the other.

    :raises AnchorsError: where the file is missing, empty or can't be read as anchors.

    >>> import datetime as dt
    >>> from pathlib import Path
    >>> from fixtures.small import small_store
    >>> store, noon = small_store(), dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
    >>> make_key(Path("anchors.key"))
    >>> key = read_key(Path("anchors.key"))
    >>> anchor = add_anchor(store, Path("anchors"), key, "cli:li", noon, begin=True)
    >>> found = verify_anchored(store, Path("anchors"), key)
    >>> found.faults
    ()
    """
    with _turn(path, fcntl.LOCK_SH):
        return _checked(store, path, _anchors(path), key)


@contextmanager
def held(path: Path) -> Iterator[bytes]:
    """The file as it is; until the block ends no anchor is made, so that log and file are of one moment.

    :raises AnchorsError: where the file is missing, empty or can't be read.
    """
    with _turn(path, fcntl.LOCK_SH):
        _anchors(path)
        yield path.read_bytes()


def require_place(path: Path, text: bytes) -> None:
    """Check that anchors of a backup can be put where no others are.

    :raises AnchorsError: where there are others: they may be later, and are all that speaks for what the
        backup does not have.
    """
    if not path.parent.is_dir():
        raise AnchorsError(_no_directory(path))
    if path.exists() and path.read_bytes() != text:
        raise AnchorsError(
            Title(
                f"{path}中的锚点与备份中的不同。请将其改名保留:较晚的锚点可证明备份之后的内容",
                f"{path} has other anchors than the backup. Keep them, under another name: later ones say "
                "what came after the backup",
            )
        )


def put_back(path: Path, text: bytes) -> None:
    """Make the anchors of a backup the file, unless it is that already.

    :raises AnchorsError: where there are others, or it can't be written.
    """
    require_place(path, text)
    if path.exists():
        return
    new = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    except OSError as error:
        raise _failed(_ANCHORS, path, "写入", "written", error) from None


@contextmanager
def _turn(path: Path, lock: int, begin: bool = False) -> Iterator[None]:
    """Take turns at a file, so that a line and what the log says of it come before the next one, or a check.

    :param begin: make the file where there is none.
    """
    try:
        file = path.open("a" if begin else "r")
    except FileNotFoundError:
        raise AnchorsError(_no_directory(path) if begin else _missing(path)) from None
    except OSError as error:
        raise _failed(_ANCHORS, path, "打开", "opened", error) from None
    with file:
        fcntl.flock(file, lock)
        yield


_KEY, _ANCHORS = Title("密钥", "key"), Title("锚点文件", "anchors")


def _failed(what: Title, path: Path, zh: str, en: str, error: OSError | UnicodeDecodeError) -> AnchorsError:
    why = system_title(error.strerror if isinstance(error, OSError) else str(error))
    return AnchorsError(
        Title(f"{what.zh}{path}无法{zh}:{why.zh}", f"the {what.en} {path} can't be {en}: {why.en}")
    )


def _no_directory(path: Path) -> Title:
    return Title(f"锚点文件{path}的目录不存在", f"the directory of the anchors {path} is missing")


def _missing(path: Path) -> Title:
    return Title(
        f"锚点文件{path}不存在:日志若被改写也会如此。请放回该文件;首次锚定用`xinheng audit anchor --begin`",
        f"the anchors {path} are missing: a rewritten log would look the same. Put the file back; "
        "a first one is begun with `xinheng audit anchor --begin`",
    )


def _checked(store: Store, path: Path, anchors: Sequence[SignedAnchor], key: bytes) -> AnchoredVerification:
    log = verify(store, [each.anchor for each in anchors])
    last = anchors[-1]
    faults = [
        *told(log.faults),
        *_forged(path, anchors, key),
        *_cut_off(store, path, anchors[0].signature[:16], len(anchors)),
    ]
    return AnchoredVerification(log, tuple(faults), last, max(log.head.seq - last.anchor.seq, 0))


def _refuse(faults: Sequence[Title]) -> None:
    if faults:
        zh, en = ("; ".join(getattr(fault, half) for fault in faults) for half in ("zh", "en"))
        raise AnchorsError(
            Title(f"发现问题,未作锚定:{zh}", f"nothing is anchored, for something is wrong: {en}")
        )


def told(faults: Sequence[Fault]) -> list[Title]:
    """What is wrong with the log, with the number of the entry."""
    return [
        Title(f"第{fault.seq}条:{fault.message.zh}", f"entry {fault.seq}: {fault.message.en}")
        for fault in faults
    ]


def _forged(path: Path, anchors: Sequence[SignedAnchor], key: bytes) -> Iterator[Title]:
    before = ""
    for number, each in enumerate(anchors, 1):
        if not hmac.compare_digest(_signature(key, before, each.at, each.anchor), each.signature):
            yield Title(
                f"{path}第{number}行:签名不成立:用的是其他密钥,或该行被改动、移动,或其上一行被删除",
                f"{path}:{number}: the signature does not hold: by another key, or this line was altered or "
                "moved, or the line before it was taken out",
            )
        before = each.signature


def _cut_off(store: Store, path: Path, file: str, lines: int) -> Iterator[Title]:
    """The log's entries of anchors name their file by how it begins, so that a new file may be begun."""
    before: int | None = None
    while page := entries(store, action=ACTION, before=before, limit=1):
        for entry in page:
            if entry.details.get("file") != file:
                continue
            number = entry.details["number"]
            if number > lines:
                yield Title(
                    f"{path}有{lines}行,而日志第{entry.seq}条记的是第{number}行:末尾若干行被截去,或放回了较旧的文件",
                    f"{path} has {lines} lines, but entry {entry.seq} of the log is about line {number}: "
                    "lines were cut off, or an older file was put back",
                )
            return
        before = page[-1].seq


def _begun(path: Path) -> list[SignedAnchor]:
    if _read(path):
        raise AnchorsError(
            Title(
                f"{path}中已有锚点:请去掉--begin,或另起一个文件",
                f"{path} has anchors already: leave --begin out, or begin another file",
            )
        )
    return []


def _anchors(path: Path) -> list[SignedAnchor]:
    if not (anchors := _read(path)):
        raise AnchorsError(
            Title(
                f"锚点文件{path}为空:日志若被改写也会如此。请补回各行(系统日志中有);"
                "首次锚定用`xinheng audit anchor --begin`",
                f"the anchors {path} are empty: a rewritten log would look the same. Put the lines back (the "
                "journal has them); a first one is made with `xinheng audit anchor --begin`",
            )
        )
    return anchors


def _read(path: Path) -> list[SignedAnchor]:
    """The anchors of a file; of a line that was never finished nobody was told.

    Who makes one of an anchor breaks the chain of signatures, or is found by the log's number of lines.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _failed(_ANCHORS, path, "读取", "read", error) from None
    return [_parsed(path, number, line) for number, line in enumerate(lines, 1) if not _TORN.fullmatch(line)]


def _parsed(path: Path, number: int, line: str) -> SignedAnchor:
    try:
        at, seq, digest, signature = line.split(" ")
        anchor = Anchor(int(seq), digest)
        made = SignedAnchor(dt.datetime.fromisoformat(at), anchor, signature)
        is_right = str(made) == line and len(digest) == len(signature) == len(GENESIS)
    except ValueError:
        is_right = False
    if not is_right:
        raise AnchorsError(
            Title(
                f"{path}第{number}行:{line[:80]!r}不是锚点。应为:时刻、编号、哈希值、签名",
                f"{path}:{number}: {line[:80]!r} is no anchor. Right: moment, number, hash, signature",
            )
        )
    return made


def _signed(key: bytes, before: str, now: dt.datetime, head: Anchor) -> SignedAnchor:
    at = now.astimezone(dt.UTC).replace(microsecond=0)
    return SignedAnchor(at, head, _signature(key, before, at, head))


def _signature(key: bytes, before: str, at: dt.datetime, anchor: Anchor) -> str:
    return hmac.new(key, f"{before}\n{_text(at, anchor)}".encode(), hashlib.sha256).hexdigest()


def _text(at: dt.datetime, anchor: Anchor) -> str:
    return f"{at.isoformat()} {anchor.seq} {anchor.hash}"


def _append(path: Path, anchor: SignedAnchor) -> None:
    """Before the log says so: a line that it does not know of does no harm, the other way it is a fault."""
    try:
        with path.open("a", encoding="utf-8") as file:
            is_whole = path.read_bytes()[-1:] in (b"", b"\n")
            file.write(f"{anchor}\n" if is_whole else f"\n{anchor}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _failed(_ANCHORS, path, "写入", "written", error) from None
