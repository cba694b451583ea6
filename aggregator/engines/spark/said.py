"""What Spark says when something fails, as what there is to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aggregator.engines.spark.errors import ExecutorsLost, NoPython, SessionLost, StepFailed
from aggregator.model.errors import StopRun
from aggregator.schemas.shown import without_secrets

_LOST = ("ExecutorLostFailure", "Python worker exited unexpectedly", "Python worker process exited", "OutOfMemoryError", "FetchFailed", "PYTHON_WORKER_EXITED")
_NO_ANSWER = "Answer from Java side is empty"
_ENDED = ("SparkContext was shut down", "SparkContext has been shutdown", "stopped SparkContext", _NO_ANSWER, "Error while sending or receiving",
          "does not exist in the JVM", "Connection refused", "Connection reset", "network error", "All masters are unresponsive", "Master removed our application")  # fmt: skip
_NO_PYTHON = ("Cannot run program", "PYTHON_VERSION_MISMATCH", "different version in worker", "ModuleNotFoundError", "ImportError", "No module named")
_LONGEST = 200


def words_of(error: BaseException) -> str:
    """What an exception says. One of Py4J asks Java for its words, and Java may be gone."""
    try:
        return str(error)
    except Exception:
        return _NO_ANSWER


def stop_for(said: str, secrets: Iterable[str] = ()) -> StopRun:
    """In: text of an exception of Spark or Py4J, which is many lines of Java."""
    if any(sign in said for sign in _NO_PYTHON):
        return NoPython(gist(said, secrets, _NO_PYTHON))
    if any(sign in said for sign in _LOST):
        return ExecutorsLost()
    if any(sign in said for sign in _ENDED):
        return SessionLost()
    return StepFailed(gist(said, secrets))


def gist(said: str, secrets: Iterable[str] = (), signs: Iterable[str] = ()) -> str:
    """One line of it, without secrets: the one that has one of the signs, or else the first that tells something."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith(("at ", "File ", "Traceback", "..."))]
    chosen = next((line for sign in signs for line in reversed(lines) if sign in line), None) or next(
        (line for line in lines if ": " in line and "Py4J" not in line and "An error occurred while calling" not in line), lines[0] if lines else "no reason given"
    )
    chosen = without_secrets(chosen, secrets)
    chosen = re.sub(r"^(?:[\w$]+\.)+([\w$]+(?:Exception|Error)): ", r"\1: ", chosen.removeprefix(": ").removeprefix("Caused by: "))
    return (chosen if len(chosen) <= _LONGEST else f"{chosen[:_LONGEST]}…").rstrip(". ")
