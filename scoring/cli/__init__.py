"""The command ``xinheng``: one module a command, imported only when the command is called."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

COMMANDS = {
    "demo": "demo:demo_command",
    "db": "db:db_group",
    "ingest": "ingest:ingest_command",
    "records": "records:records_group",
    "score": "score:score_command",
    "runs": "runs:runs_command",
    "explain": "explain:explain_command",
    "plan": "plan:plan_group",
    "departments": "departments:departments_group",
    "repeat-offences": "offences:offences_command",
    "report": "report:report_command",
    "rules": "rules:rules_group",
    "simulate": "simulate:simulate_command",
    "alerts": "alerts:alerts_group",
    "problems": "problems:problems_group",
    "consents": "consents:consents_group",
    "keys": "keys:keys_group",
    "audit": "audit:audit_group",
    "serve": "serve:serve_command",
}


class _Commands(click.Group):
    """Loads a command when it is needed, and shows what went wrong as a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f"scoring.cli.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # a broken pipe: the reader of the output has seen enough, and click ends in silence
        except Exception as error:
            if os.environ.get("XINHENG_DEBUG"):
                raise
            raise click.ClickException(_sentence(error)) from None


def _sentence(error: Exception) -> str:
    from scoring.cli.errors import EXPECTED  # with all that raises them: a second that most calls can save

    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, EXPECTED):
        return str(error)
    name = type(error).__name__
    return f"an error that should not be: {name}: {error}. XINHENG_DEBUG=1 shows where it comes from"


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xinheng")
def main() -> None:
    """信衡: grade enterprises and departments by declared rules, and answer for each grade."""
