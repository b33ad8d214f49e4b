"""The command ``xinheng``: one module a command, imported only when the command is called."""

from __future__ import annotations

import gc
import gettext
import importlib
import os
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import click
from click.shell_completion import CompletionItem

from rules.titles import Title, TitledError, system_title
from scoring.characters.visible import is_blank, visible
from scoring.cli.language import DOMAIN, LOCALE, in_language, speaks_chinese

gettext.bindtextdomain(DOMAIN, LOCALE)
gettext.textdomain(DOMAIN)  # what click says for itself is looked up there as well


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that is not loaded yet.

    :param where: its module within this package, and its name there.
    :param does: the first sentence of its help, by which it is listed.
    """

    where: str
    does: str


COMMANDS = {
    "demo": Entry(
        "demo:demo_command",
        "Make the sample district, grade everybody, look for alerts, and have its offices work for a day.",
    ),
    "db": Entry("db:db_group", "Make the store, or bring it up to date."),
    "backup": Entry(
        "backup:backup_command",
        "Copy the store, as it is at one moment, into the new directory TO, while others work with it.",
    ),
    "restore": Entry(
        "backup:restore_command",
        "Make the backup in the directory FROM the store, with the server stopped.",
    ),
    "ingest": Entry(
        "ingest:ingest_command",
        "Take CSV, XLSX and XLS files, or directories of them, into the store.",
    ),
    "feeds": Entry(
        "feeds:feeds_command",
        "Say how good each office's files are, which rows it has to put right, and who has fallen silent.",
    ),
    "records": Entry(
        "records:records_group",
        "Settle what only a person can: contradictions of decisions, decisions under two numbers, classes.",
    ),
    "score": Entry(
        "score:score_command",
        "Grade every subject of the store and publish the run, or grade a file into files.",
    ),
    "runs": Entry("runs:runs_command", "List the published runs, the newest first."),
    "proposals": Entry(
        "proposals:proposals_group",
        "Runs that are proposed: who would fall and their answers; publish or withdraw one.",
    ),
    "notices": Entry(
        "notices:notices_command",
        "Write the notice of each subject whose tier falls, by a proposal or a run, into a folder.",
    ),
    "explain": Entry(
        "explain:explain_command",
        "Explain the grade of SUBJECT (its credit code): each hit with rule, law, record, "
        "points and how long.",
    ),
    "forecast": Entry(
        "forecast:forecast_command",
        "Foretell the grade of SUBJECT (its credit code) on every day to come, with nothing new known, "
        "and say why it changes.",
    ),
    "paths": Entry(
        "paths:paths_command",
        "List the smallest sets of lawful steps that bring SUBJECT (its credit code) to a better tier, and "
        "when.",
    ),
    "replay": Entry(
        "replay:replay_command",
        "Have RUN again from the facts at its moment and the text of its pack, and list what differs.",
    ),
    "plan": Entry("plan:plan_group", "Plan supervision from tiers."),
    "visits": Entry(
        "visits:visits_group",
        "Visits with a code: issue, report, rate, cancel; figures by office, and who finds nothing.",
    ),
    "departments": Entry(
        "departments:departments_group",
        "Rank public bodies by satisfaction, and say what follows for the last.",
    ),
    "repeat-offences": Entry(
        "offences:offences_command",
        "List repeat offenders by field: their findings, and which rules of the pack their number meets.",
    ),
    "report": Entry("report:report_command", "Count the district's figures from the records."),
    "credit-report": Entry(
        "credit_report:credit_report_command",
        "Issue the public credit report of SUBJECT (its credit code) as a PDF, numbered and to be verified.",
    ),
    "rules": Entry(
        "prove:rules_group",
        "Check, test, compare and print packs of rules; make a draft law by two persons.",
    ),
    "backtest": Entry(
        "validation:backtest_command",
        "Say whether the tiers of a day foresaw what was found in the months after it, and which rules did.",
    ),
    "drift": Entry(
        "validation:drift_command",
        "Say how far scores, tiers and what rules read have shifted between two runs, and who fell silent.",
    ),
    "simulate": Entry(
        "simulate:simulate_command",
        "Grade everybody by a new pack and by another, and show who would move and why.",
    ),
    "trials": Entry(
        "trials:trials_group",
        "Candidates that are graded beside the pack in force every night: who would be graded otherwise.",
    ),
    "alerts": Entry(
        "alerts:alerts_group",
        "Patterns of several records: list them, assign and acknowledge them, look for them anew.",
    ),
    "tickets": Entry(
        "tickets:tickets_group",
        "Tickets of enterprises: collect, assign, coordinate, supervise, evaluate and close.",
    ),
    "objections": Entry(
        "objections:objections_group",
        "Objections to records: file, acknowledge, decide, review; who is late, and figures by office.",
    ),
    "deliveries": Entry(
        "deliveries:deliveries_group",
        "Tell other systems what changed: send what is due, and say how it goes.",
    ),
    "repairs": Entry(
        "repairs:repairs_group",
        "Repairs of records: apply, admit, decide, undo after a breach; who is late, and figures by office.",
    ),
    "consequences": Entry(
        "consequences:consequences_group",
        "Measures applied because of grades and records: enter, lift and list them; the national list.",
    ),
    "consents": Entry(
        "consents:consents_group",
        "Consents of subjects to lenders: register, withdraw, audit by sample.",
    ),
    "keys": Entry("keys:keys_group", "Make, list, replace and end the keys of the API."),
    "audit": Entry(
        "audit:audit_group",
        "The log of who read or changed what: list it, check that it is whole, anchor it.",
    ),
    "serve": Entry(
        "serve:serve_command",
        "Serve the API and the pages until SIGTERM or Ctrl-C; requests under way are answered first.",
    ),
}


class _Commands(click.Group):
    """Loads a command when it is needed, and shows what went wrong as a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].where.split(":")
        command: click.Command = getattr(_module(f"scoring.cli.{module}"), attribute)
        return _in_the_users_language(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section(gettext.gettext("Commands")):
            formatter.write_dl([(name, _listed(name).get_short_help_str(limit)) for name in COMMANDS])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        items = [CompletionItem(name, help=_listed(name).get_short_help_str()) for name in names]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        _in_the_users_language(self)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            _check_word(word)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        from scoring.cli.logged import changes_logged  # with a database, which a list of commands needs not

        try:
            with changes_logged():
                return super().invoke(ctx)
        except click.ClickException as error:
            vars(error)["message"] = visible(error.message)  # click holds it for final
            raise
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # a broken pipe: the reader of the output has seen enough, and click ends in silence
        except Exception as error:
            if os.environ.get("XINHENG_DEBUG"):
                raise
            raise click.ClickException(visible(_sentence(error))) from None


def _check_word(word: str) -> None:
    """Refuse what can't be read, what says nothing, and the number of a natural person in whatever a command
    would keep; a file may be called by the first and the last."""
    name, given, value = word.partition("=") if word.startswith("--") else ("", "", word)
    if (given or not name) and is_blank(value):
        told = "选项或参数为空白,请填写或略去 an option or argument is blank: fill it in, or leave it out"
        raise click.UsageError(f"{name}: {told}".removeprefix(": "))
    is_text = word.encode(errors="replace").decode() == word
    has_digits = sum(map(str.isdecimal, word)) >= _DIGITS_OF_PERSON
    if (is_text and not has_digits) or os.access(word, os.F_OK):
        return
    if not is_text:
        raise click.UsageError(
            "命令中有字不是UTF-8编码,请将终端设为UTF-8 a word is not in UTF-8: set the terminal to UTF-8"
        )
    from scoring.characters.persons import has_surely  # takes longer to load than most calls can spare

    if has_surely(word):
        raise click.UsageError(
            "含自然人证件号码,本系统不予保存,请删去 a natural person's number is not kept here: leave it out"
        )


_DIGITS_OF_PERSON = 17
"""The last sign may be an X."""


def _module(name: str) -> ModuleType:
    """A module of a command. What modules are made of is not searched for garbage while they load."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.enable()


def _listed(name: str) -> click.Command:
    """A command as it is listed; nothing is imported for it."""
    return _in_the_users_language(click.Command(name, help=COMMANDS[name].does))


def _in_the_users_language(command: click.Command) -> click.Command:
    """The command, with its help in Chinese where the environment asks for it."""
    if speaks_chinese():
        from scoring.cli.chinese import say

        say(command)
    return command


def _sentence(error: Exception) -> str:
    from rules.fault import PackError
    from scoring.cli.errors import EXPECTED  # with all that raises them: a second that most calls can save

    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {system_title(error.strerror)}"
    if isinstance(error, TitledError):
        return ": ".join(filter(None, (str(error.told), error.command)))
    if isinstance(error, PackError):
        return "\n".join(in_language(fault.title) for fault in error.faults)
    if isinstance(error, EXPECTED):
        return str(error)
    said = f"{type(error).__name__}: {error}"
    return in_language(
        Title(
            f"程序出错：{said}。设置XINHENG_DEBUG=1可显示出错位置",
            f"an error that should not be: {said}. XINHENG_DEBUG=1 shows where it comes from",
        )
    )


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xinheng")
def main() -> None:
    """信衡: grade enterprises and departments by declared rules, and answer for each grade."""
