"""The command ``xinheng``: one module a command, imported only when the command is called."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from scoring.cli.errors import EXPECTED

COMMANDS = {
    "demo": "demo:demo_command",
    "db": "db:db_group",
    "ingest": "ingest:ingest_command",
    "score": "score:score_command",
    "runs": "runs:runs_command",
    "explain": "explain:explain_command",
    "plan": "plan:plan_group",
    "departments": "departments:departments_group",
    "repeat-offences": "offences:offences_command",
    "report": "report:report_command",
    "rules": "rules:rules_group",
    "simulate": "simulate:simulate_command",
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
        except BrokenPipeError:
            raise  # the reader of the output has seen enough: click ends in silence
        except EXPECTED as error:
            raise click.ClickException(_sentence(error)) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if os.environ.get("XINHENG_DEBUG"):
                raise
            name = type(error).__name__
            raise click.ClickException(
                f"an error that should not be: {name}: {error}. XINHENG_DEBUG=1 shows where it comes from"
            ) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xinheng")
def main() -> None:
    """信衡: grade enterprises and departments by declared rules, and answer for each grade."""
