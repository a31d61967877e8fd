"""The command line: parse, call one function of the library, print.

A command's module is imported when the command is called, so that no command pays for another's imports. What the
library raises on purpose becomes one line on stderr and an exit status: 2 if the command line alone is wrong, whatever
the files hold, else 1. Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from spectell.errors import MismatchError, ParameterError, SpectellError

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "scan": ("spectell.cli.scan:scan", "Verdict for each image: real, generated or inconclusive."),
    "explain": ("spectell.cli.explain:explain", "Say why one image got its verdict, as a page."),
    "calibrate": ("spectell.cli.calibrate:calibrate", "Set a model's thresholds on your own photographs."),
    "train": ("spectell.cli.train:train", "Train a detector and write a model file."),
    "evaluate": ("spectell.cli.evaluate:evaluate", "Measure a model on a data set, with intervals."),
    "spectrum": ("spectell.cli.spectrum:spectrum", "Mean spectra of sets of images, and how they differ."),
    "dataset": ("spectell.cli.dataset:dataset", "Manifests, splits, packed arrays, and a check for leaks."),
    "perturb": ("spectell.cli.perturb:perturb", "Write a perturbed copy of a data set, and what was drawn."),
    "generate": ("spectell.cli.generate:generate", "Train generators with a chosen up-sampling, and sample from them."),
    "reproduce": ("spectell.cli.reproduce:reproduce", "Repeat the paper's experiments on your own images."),
    "models": ("spectell.cli.models:models", "List models and what they say about themselves."),
    "demo": ("spectell.cli.demo:demo", "Judge a few photographs and images made on the spot."),
    "bench": ("spectell.cli.bench:bench", "Measure how fast this machine scans."),
}
"""Command → where it lives, and its line in the list of commands."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

LIBRARY_ERROR = 1
INTERRUPTED = 130
CLOSED_PIPE = 141  # what the shell reports of a program that SIGPIPE ended


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    # ruff: noqa: ARG002 - click passes a context that names alone do not need

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names in the order of `COMMANDS`: the main job first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command, and give each way of ending early its status."""
        try:
            return super().invoke(ctx)
        except SpectellError as error:
            raise _as_click(error) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            ctx.exit(CLOSED_PIPE)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise click.ClickException(f"cannot write the output: {error.strerror}") from error


def _as_click(error: SpectellError) -> click.ClickException:
    """Tell wrong usage, which click gives status 2, from what does not fit the files, with `LIBRARY_ERROR`."""
    wrong_usage = isinstance(error, ParameterError) and not isinstance(error, MismatchError)
    return (click.UsageError if wrong_usage else click.ClickException)(_shown(str(error)))


def _shown(message: str) -> str:
    """Show control characters, which the name of any file may hold, instead of obeying them."""
    from spectell.images import describe_path

    return message if message.isprintable() else describe_path(message)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="spectell", message="%(prog)s %(version)s")
def cli() -> None:
    """Tell generated images from photographs by their frequency spectrum.

    Example:

    \b
        spectell scan holiday.jpg downloads/
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    _open_closed_streams()
    try:
        result = cli.main(arguments, prog_name="spectell", standalone_mode=False)
        status = result if isinstance(result, int) else 0
    except click.ClickException as error:
        vars(error)["message"] = _shown(error.message)  # a shell puts names of files in the place of a pattern
        error.show()
        status = error.exit_code
    except click.Abort:  # interrupted before a command ran
        status = INTERRUPTED
    except OSError as error:  # of --help and --version, which click prints before a command runs
        if error.errno not in _NO_ROOM:
            raise
        click.ClickException(f"cannot write the output: {error.strerror}").show()
        status = LIBRARY_ERROR
    try:
        sys.stdout.flush()
    except OSError:  # said already; what is left in the buffer has nowhere to go
        status = status or LIBRARY_ERROR
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _open_closed_streams() -> None:
    """Give a program that was started with a standard stream closed, as by ``>&-``, the null device in its place.

    Otherwise Python has None there, and the next file that is opened takes the stream's number and gets its output.
    """
    for number, (name, mode) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - a number, for good
