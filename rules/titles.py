"""What people read, in Chinese and English, and the errors that say it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BETWEEN = "\u2003"
_OLD = re.compile(r"(.*[^\x00-\x7f]) ([\x00-\x7f]+)", re.DOTALL)
"""Before halves were marked: behind the last sign that is not ASCII the English begins."""


@dataclass(frozen=True, slots=True)
class Title:
    """What people read: Chinese, with English beside it."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} {self.en}" if self.en != self.zh else self.zh

    @property
    def both(self) -> str:
        """As it is kept, and shown to who reads both; :func:`halves` reads it again."""
        return _BETWEEN.join(half.replace(_BETWEEN, " ") for half in (self.zh, self.en))


def halves(said: str) -> Title:
    """The title that :attr:`Title.both` made a text of; another text is the same in each language.

    >>> halves(Title("必填项为空", "empty, and required").both).en
    'empty, and required'
    >>> halves("样例").en
    '样例'
    """
    zh, _, en = said.partition(_BETWEEN)
    return Title(zh, en or zh)


def halves_of_old(said: str) -> Title:
    """As :func:`halves`, of what the program alone says, and has said with a space between the halves. What
    can't be told apart is the same in each language: nothing of it is lost.

    >>> halves_of_old("必填项为空（请填写） empty, and required (fill it in)").en
    'empty, and required (fill it in)'
    """
    if _BETWEEN in said:
        return halves(said)
    if said.count("） ") == 1:  # a fault, with its hint
        zh, _, en = said.partition("） ")
        return Title(f"{zh}）", en)
    found = _OLD.fullmatch(said)
    return Title(found[1], found[2]) if found else Title(said, said)


def system_title(said: str | None) -> Title:
    """What the operating system says of a file; what is not known here stays in English.

    >>> system_title("Permission denied").zh
    '没有权限'
    """
    en = said or "the system does not say why"
    return Title(_SYSTEM.get(en, en), en)


_SYSTEM = {
    "the system does not say why": "系统未说明原因",
    "No such file or directory": "没有该文件或目录",
    "Permission denied": "没有权限",
    "Operation not permitted": "不允许此操作",
    "No space left on device": "磁盘已满",
    "Disk quota exceeded": "磁盘配额已用完",
    "File too large": "文件超出大小限制",
    "Read-only file system": "磁盘只读",
    "Is a directory": "是目录,不是文件",
    "Not a directory": "不是目录",
    "File exists": "已有同名文件",
    "File name too long": "文件名过长",
    "Input/output error": "磁盘读写错误",
    "Address already in use": "已被占用",
    "Cannot assign requested address": "不是本机的地址",
}


class TitledError(Exception):
    """An error that officials read, on a page or the command line. Programs and logs read its English.

    :ivar title: what it says.
    :ivar command: what the command line adds: what to type. On a page it would say nothing.
    """

    def __init__(self, title: Title, command: str = "") -> None:
        super().__init__(title)
        self.title, self.command = title, command

    @property
    def told(self) -> Title:
        """What it says to who may see everything."""
        return self.title

    def __str__(self) -> str:
        return self.title.en


class UnknownError(TitledError, LookupError):
    """What was asked for by its name or number is not there, or not for who asks: 404 from the API."""
