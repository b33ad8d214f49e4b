"""What a command refuses is said in Chinese, with English beside it, and with what would be right."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import scoring.cli
from cli.conftest import Command
from cli.market import AS_OF
from cli.test_plan import url
from rules.titles import TitledError
from scoring.cli.output import print_rows
from scoring.runs.file_error import not_written

__all__ = ["url"]
ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
RAISED = {"UsageError", "BadParameter", "ClickException", "fail"}
STEP = ("--reason", "x")


@pytest.mark.parametrize(
    ("line", "english"),
    [
        (("repairs", "show", "99"), "there is no application for repair 99"),
        (("repairs", "apply", "XZ-99", "--commitment", "x", *STEP), "there is no record XZ-99"),
        (("objections", "acknowledge", "XZ-99", *STEP), "there is no record XZ-99"),
        (("proposals", "show", "99"), "there is no proposal 99"),
        (("visits", "cancel", "314159265358", *STEP), "there is no visit"),
        (("consents", "withdraw", "99", *STEP), "there is no consent 99"),
        (("tickets", "show", "99"), "there is no ticket 99"),
        (("keys", "revoke", "none"), "there is no key none"),
        (("alerts", "acknowledge", "99"), "there is no alert 99"),
        (("alerts", "acknowledge", f"{2**63}"), "is not a number from 1 to"),
        (("records", "confirm", "3", "9" * 5_000, "--as", "serious", *STEP), "is not a number from 1 to"),
        (("proposals", "publish", f"{2**53 + 1}"), "is not a number from 1 to"),
        (("keys", "revoke", "\udcd6\udcd0"), "a word is not in UTF-8"),  # as a terminal in GB18030 sends it
        (("explain", "91110000600037341L"), "there is no run of enterprise-credit yet"),
        (("explain", "91110000600037341L", "--as-of", "August"), "'August' is not a date such as 2026-07-31"),
    ],
)
def test_why_it_is_not_done_is_said_in_chinese_and_english(
    command: Command, url: str, line: tuple[str, ...], english: str
) -> None:
    done = command(*line, "--database", url)
    assert done.exit_code in (1, 2)
    said = done.stderr.splitlines()[-1]
    assert (english in said, bool(CHINESE.search(said.partition(english)[0]))) == (True, True), said


def test_a_command_keeps_no_number_of_a_natural_person(command: Command, url: str, tmp_path: Path) -> None:
    person = "500102199001011236"
    done = command(
        "tickets", "open", "--title", f"赵某（{person}）", "--source", "hotline", "--database", url
    )
    assert done.exit_code == 2
    assert "含自然人证件号码,本系统不予保存,请删去 a natural person's number is not kept here" in done.stderr
    file = tmp_path / f"{person}.csv"
    file.write_text("编号\n", encoding="utf-8")
    assert "自然人证件号码" not in command("ingest", file, "--check", "--database", url).stderr


@pytest.mark.parametrize("blank", ["", "  ", "\u3000", "\u200b "])
@pytest.mark.parametrize("form", ["apart", "joined"])
def test_a_command_takes_no_reason_or_name_with_nothing_to_see(
    command: Command, url: str, blank: str, form: str
) -> None:
    for *line, option in (
        ("records", "confirm", "1", "--as", "serious", "--reason"),
        ("tickets", "open", "--source", "hotline", "--title"),
        ("keys", "create", "--role", "regulator", "--owner"),
    ):
        done = command(
            *line, *([option, blank] if form == "apart" else [f"{option}={blank}"]), "--database", url
        )
        assert (done.exit_code, "为空白" in done.stderr) == (2, True), line
    assert command("keys", "list", "--database", url, "--format", "json").stdout.strip() == "[]"


PARTY = ("--inspector", "I0", "--inspector", "I2", "--office", "甲局", "--pack", "market")


@pytest.mark.parametrize(
    ("line", "zh", "en"),
    [
        (("runs", "--database", "sqlite:///none.db"), "没有库", "there is no store at"),
        (("runs", "--database", "mysql://x/y"), "不是库的地址", "is not a store's URL"),
        (("db", "upgrade", "--database", "sqlite:///no/x.db"), "目录不存在", "the directory of"),
        (("restore", "none", "--check"), "不是备份", "none is no backup"),
        (("backup", "copy", "--anchors", "none"), "锚点文件none不存在", "the anchors none are missing"),
        (("audit", "verify", "--anchors", "none", "--key", "none"), "密钥none无法读取", "the key none can't"),
        (("ingest", "undo", "99", "--reason", "x"), "没有文件99", "there is no file 99"),
        (("replay", "99"), "没有批次99", "has no run 99"),
    ],
)
def test_what_is_wrong_with_the_store_and_its_anchors_is_said_in_chinese_and_english(
    command: Command, url: str, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], zh: str, en: str
) -> None:
    monkeypatch.setenv("XINHENG_DATABASE_URL", url)
    said = command(*line).stderr
    assert (zh in said, en in said) == (True, True), said


@pytest.mark.parametrize(
    ("subjects", "out", "zh", "en"),
    [
        ("none.csv", "o.csv", "none.csv: 文件不存在", "no such file"),
        ("s.parquet", "o.csv", "s.parquet: 不是Parquet文件,或已损坏", "this is no Parquet file"),
        ("s.csv", "o.pdf", "o.pdf: 结果文件的类型不对", "a name that ends with .csv or .parquet"),
        ("s.csv", "none/o.csv", "o.csv: 没有目录", "there is no folder"),
        ("s.csv", "s.csv", "s.csv: 结果会覆盖所评价的文件", "the results would overwrite"),
        ("empty", "o", "empty: 目录中没有Parquet文件", "no Parquet file (*.parquet) in it"),
    ],
)
def test_what_is_wrong_with_a_file_to_grade_is_said_in_chinese_and_english_and_what_would_be_right(
    command: Command, market: Path, tmp_path: Path, subjects: str, out: str, zh: str, en: str
) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("s.csv", "s.parquet"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    files = ("--subjects", tmp_path / subjects, "--out", tmp_path / out)
    said = command("score", "--pack", market / "market.yaml", "--as-of", AS_OF, *files).stderr
    assert (zh in said, en in said) == (True, True), said
    right = said.partition("    right: ")[2]
    assert bool(CHINESE.search(right)), said


def test_what_a_task_on_a_cluster_says_of_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    error = not_written(tmp_path / "x", "No space left on device")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert "磁盘已满" in str(error)


def test_a_setting_that_cannot_be_is_said_in_chinese_and_english(
    command: Command, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINHENG_PROXIES", "11")
    done = command("serve", "--port", "1", "--database", url)
    assert done.exit_code == 1
    assert "XINHENG_PROXIES不能为'11';应为:0至10 XINHENG_PROXIES can't be '11': right: 0 to 10" in done.stderr


OTHERWISE = {
    "PackError": "rules.chinese",
    **dict.fromkeys(("ConditionError", "NotTakenError", "UndeclaredNameError"), "a PackError says it"),
    **dict.fromkeys(
        ("AccountError", "FileError", "IngestError", "NoTableError"), "its reason and its hint are titles"
    ),
    **dict.fromkeys(("CellError", "DateError"), "its fault's reason and hint are titles"),
    "KeyFormError": "a Fault says it",
    **dict.fromkeys(("NoAnswerError", "NotExactError"), "the log says it"),
    **dict.fromkeys(("OpenError", "TooManyKindsError"), "what became of the proof says it"),
    "JobLostError": "its process ends",
}
"""Errors of our own that are no titles → why not."""


def test_every_error_of_our_own_is_known_in_both_languages() -> None:
    alone = {kind.__name__ for kind in _errors() if not issubclass(kind, TitledError)}
    assert alone == set(OTHERWISE)


def _errors() -> Iterator[type[BaseException]]:
    for room in ("rules", "scoring"):
        for file in (ROOT / room).rglob("*.py"):
            if re.search(r"^class \w+Error\(", file.read_text("utf-8"), re.MULTILINE):
                module = import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
                own = [
                    one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__
                ]
                yield from (one for one in own if isinstance(one, type) and issubclass(one, Exception))


@pytest.mark.parametrize(
    "line",
    [
        ("credit-report", "--out", "report.pdf"),
        ("visits", "issue", "--ground", "emergency", "--why", "燃气泄漏", *PARTY, "--subject"),
    ],
)
def test_of_a_code_that_is_nobodys_it_is_said_what_is_wrong_with_it(
    command: Command, url: str, line: tuple[str, ...]
) -> None:
    said = command(*line, "91110000600037341M", "--database", url).stderr
    assert "校验码错误,应为L" in said
    assert "wrong check character, L expected" in said


def test_no_command_refuses_in_english_alone() -> None:
    """Each message that a command makes itself; the others are those of errors, which have both."""
    found = [*_messages()]
    assert len(found) > 20
    assert [message for message in found if not CHINESE.search(message)] == []


def _messages() -> Iterator[str]:
    for file in Path(scoring.cli.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                said = node.args[0]
                if node.func.attr in RAISED and isinstance(said, ast.Constant | ast.JoinedStr):
                    yield ast.unparse(said)


def test_what_is_so_or_not_is_said_in_words_to_people_and_as_it_is_to_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for fmt in ("table", "csv"):
        print_rows([{"is_open": True}, {"is_open": False}], ["is_open"], fmt)  # type: ignore[arg-type]
    assert capsys.readouterr().out.split("\n") == [
        "is_open",
        "是 yes",
        "否 no",
        "is_open",
        "True",
        "False",
        "",
    ]
