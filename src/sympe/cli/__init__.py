"""The command line: parse, dispatch, exit code. One file per command.

Results go to stdout, progress and complaints to stderr. Bad input ends with one line and exit code 2.
"""

import sys
from typing import Annotated, Any

import tyro

from sympe.cli.audit import AuditCommand
from sympe.cli.compare import CompareCommand
from sympe.cli.graph_autoencoder import GraphAutoencoderCommand
from sympe.cli.ising import IsingCommand
from sympe.cli.memory import keep_freed_memory
from sympe.cli.molecules import MoleculesCommand
from sympe.cli.reproduce import ReproduceCommand
from sympe.cli.table import TableCommand

Command = (
    Annotated[AuditCommand, tyro.conf.subcommand("audit")]
    | Annotated[CompareCommand, tyro.conf.subcommand("compare")]
    | Annotated[GraphAutoencoderCommand, tyro.conf.subcommand("graph-autoencoder")]
    | Annotated[IsingCommand, tyro.conf.subcommand("ising")]
    | Annotated[MoleculesCommand, tyro.conf.subcommand("molecules")]
    | Annotated[ReproduceCommand, tyro.conf.subcommand("reproduce")]
    | Annotated[TableCommand, tyro.conf.subcommand("table")]
)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command ``sympe``."""
    command: Any = tyro.cli(
        Command,
        prog="sympe",
        description="Break the symmetry of equivariant networks.",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes,),
    )
    keep_freed_memory()
    try:
        command()
    except (ValueError, OSError, ImportError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"sympe: {line}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning turns the interruption of a training into an exit of its own.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        print("sympe: interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)
