"""The ``lamina`` command: its four commands, and how an error is said: one line, no traceback."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from lamina.cli.equations import equations
from lamina.cli.evaluate import evaluate
from lamina.cli.predict import predict
from lamina.cli.train import train
from lamina.errors import LaminaError, NonFiniteError

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130

app = typer.Typer(
    name="lamina",
    help="Train a neural network on a table, use it, look at its equations.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, predict, evaluate, equations):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows ``lamina``; those of this process by default.

    Returns:
        0; 2 for input that cannot be used; 1 for a failure; 130 when interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the screen's letters cannot write
    try:
        code = app(given, prog_name="lamina", standalone_mode=False) or 0
        return _say("interrupted; nothing was saved", code) if code == INTERRUPTED else code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nothing more to say
        return FAILURE
    except NonFiniteError as error:
        return _say(f"{error}. A smaller --learning-rate may help.", FAILURE)
    except (LaminaError, FileNotFoundError) as error:
        return _say(str(error), BAD_INPUT)
    except OSError as error:
        return _say(f"{error.filename or ''}: {error.strerror}".lstrip(": "), FAILURE)
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own: an unknown option, a value of the wrong kind
            return _say(f"{error.format_message()} (lamina --help says more)", BAD_INPUT)
        if os.environ.get("LAMINA_TRACEBACK"):
            raise
        return _say(f"a fault of Lamina's own: {error!r}. With LAMINA_TRACEBACK=1 it says where.", FAILURE)


def _say(message: str, code: int) -> int:
    print(f"lamina: {' '.join(message.split())}", file=sys.stderr)
    return code
