"""``python -m scoring.cli``: the command ``xinheng``, where it is not on the path."""

from scoring.cli import main

main(prog_name="xinheng")
