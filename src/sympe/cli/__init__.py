"""The command line: parse, dispatch, exit code. One file per command.

Other packages add commands through the entry point group ``sympe.commands``: a function that returns commands by name.
A command is a dataclass; its fields are the options, and calling an instance runs it.

Results go to stdout, progress and errors to stderr. Whatever goes wrong ends in one line, see
:mod:`sympe.cli.front_door`.
"""

import sys
from functools import reduce
from importlib.metadata import entry_points
from operator import or_
from typing import Annotated, Any

import tyro

from sympe.cli.audit import AuditCommand
from sympe.cli.distort import DistortCommand
from sympe.cli.doctor import DoctorCommand
from sympe.cli.front_door import guarded
from sympe.cli.memory import keep_freed_memory
from sympe.cli.version import VersionCommand

#: Entry point group of functions that return commands by name.
COMMANDS = "sympe.commands"


def all_commands() -> dict[str, type]:
    """Commands of this package and of all installed plugins."""
    found: dict[str, type] = {
        "audit": AuditCommand,
        "distort": DistortCommand,
        "doctor": DoctorCommand,
        "version": VersionCommand,
    }
    for entry in entry_points(group=COMMANDS):
        found |= entry.load()()
    return dict(sorted(found.items()))


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command ``sympe``."""
    guarded(lambda: _call(sys.argv[1:] if arguments is None else arguments))


def _call(arguments: list[str]) -> None:
    known = all_commands()
    named = next((word for word in arguments if not word.startswith("-")), None)
    if named is not None and named not in known and arguments[0] == named:
        where = ""
        if not any(True for _ in entry_points(group=COMMANDS)):
            where = ". Experiments are in the package sympe-experiments: pip install ./experiments in a clone"
        raise ValueError(f"unknown command {named!r}; installed here: {', '.join(known)}{where}")
    choices: list[Any] = [Annotated[command, tyro.conf.subcommand(name)] for name, command in known.items()]
    command: Any = tyro.cli(
        reduce(or_, choices),
        prog="sympe",
        description="Break the symmetry of equivariant networks.",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes,),
    )
    keep_freed_memory()
    command()
