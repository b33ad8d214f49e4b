"""Help is Chinese where the environment asks for it, all of it, and says the same commands as the English."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from cli import messages
from cli.test_help import EVERY
from scoring.cli import COMMANDS

LANGUAGES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_EVERYTHING = """
import json, sys
from click.testing import CliRunner
from scoring.cli import main
print(json.dumps([CliRunner().invoke(main, [*words, "--help"]).stdout for words in json.loads(sys.argv[1])]))
"""


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, in which nothing asks for a language but what is given."""
    clean = {name: value for name, value in os.environ.items() if name not in LANGUAGES}
    return subprocess.run(
        [sys.executable, *words],
        env=clean | {"PYTHONUTF8": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def xinheng(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "scoring.cli", *words, **environment)


@pytest.fixture(scope="module")
def helps() -> dict[tuple[str, ...], str]:
    """The help of every command, in Chinese."""
    done = run("-c", _EVERYTHING, json.dumps([(), *EVERY]), LANG="zh_CN.UTF-8")
    return dict(zip([(), *EVERY], json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("variable", LANGUAGES)
def test_whoever_has_a_chinese_system_reads_help_in_chinese(variable: str) -> None:
    shown = xinheng("runs", "--help", **{variable: "zh_CN.UTF-8"}).stdout
    assert shown.startswith("用法： ")
    assert "列出已发布的评价批次，最近的在前。" in shown
    assert "显示本帮助并退出。" in shown
    assert "[默认：20" in shown


@pytest.mark.parametrize(
    "environment",
    [{}, {"LANG": "en_US.UTF-8"}, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, {"LANG": "fr_FR.UTF-8"}],
    ids=str,
)
def test_everybody_else_reads_it_in_english(environment: dict[str, str]) -> None:
    shown = xinheng("runs", "--help", **environment).stdout
    assert shown.startswith("Usage: ")
    assert "List the published runs, the newest first." in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "错误：没有命令'nothing'。"),
        (("runs", "--nothing"), "错误：没有选项'--nothing'。"),
        (("runs", "--limit", "many"), "错误：'--limit'的值无效：'many'不是有效的数值。"),
        (("explain",), "错误：缺少参数 'SUBJECT'"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_in_chinese(words: tuple[str, ...], said: str) -> None:
    done = xinheng(*words, LANG="zh_CN.UTF-8")
    assert done.returncode == 2
    assert said in done.stderr


def test_everything_that_is_said_has_its_chinese_and_nothing_else_has() -> None:
    catalog, said = messages.kept(), messages.said()
    chinese = {message.id for message in catalog if message.string and not message.fuzzy and message.id}
    assert chinese == {message.id for message in said if message.id}, "make messages; fill in the Chinese"


def test_the_catalogue_is_compiled_from_its_text() -> None:
    assert messages.MO.read_bytes() == messages.compiled(messages.kept()), "make messages"


def test_chinese_fills_in_nothing_but_what_the_english_does() -> None:
    def holes(text: str | tuple[str, ...] | list[str]) -> set[str]:
        return set(re.findall(r"\{(\w+)|%\((\w+)\)", " ".join([text] if isinstance(text, str) else text)))

    assert [message.id for message in messages.kept() if not holes(message.string) <= holes(message.id)] == []


def test_an_old_terminal_can_show_it() -> None:
    for message in messages.kept():
        "".join(message.string).encode("gb2312")


def test_a_command_is_listed_by_the_first_sentence_of_its_chinese_help() -> None:
    chinese = {message.id: message.string for message in messages.kept()}
    for path, command in EVERY.items():
        if len(path) == 1:
            first = messages.paragraphs(command.help or "")[0]
            assert chinese[first].startswith(chinese[COMMANDS[path[0]].does])


def test_examples_are_the_same_in_both_languages(helps: dict[tuple[str, ...], str]) -> None:
    for path, command in EVERY.items():
        for part in messages.paragraphs(command.help or ""):
            if "Example" in part:
                example = part.partition(":")[2].split()
                assert " ".join(example) in " ".join(helps[path].split()), path


def test_no_line_is_wider_than_a_terminal_or_begins_with_a_mark(helps: dict[tuple[str, ...], str]) -> None:
    for path, shown in helps.items():
        for line in shown.splitlines():
            columns = sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line)
            assert columns <= 80 or line.lstrip().startswith(("xinheng", "--template")), (path, line)
            assert not line.strip().startswith(tuple("，。；：、）”")), (path, line)


@pytest.mark.parametrize("words", [("rules", "test"), ("rules", "lint")], ids=" ".join)
@pytest.mark.parametrize(("lang", "is_chinese"), [("zh_CN.UTF-8", True), ("C.UTF-8", False)])
def test_what_is_wrong_with_a_pack_is_said_in_the_language_that_is_asked_for(
    tmp_path: Path, words: tuple[str, ...], lang: str, is_chinese: bool
) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("pack: 1\n", encoding="utf-8")
    done = xinheng(*words, str(file), LANG=lang)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    for zh, en in (
        (f"{file}第1行第7列", f"{file}:1:7:"),
        ("不是编号的写法", "not an id"),
        ("应为:以字母开头", "right: letters, digits"),
    ):
        assert (zh in said, en in said) == (is_chinese, not is_chinese), said
