"""The Java process in which Spark's driver runs: started with its settings in a file that only we read, silent, and ended with us."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.engines.spark.errors import NoJava, Refused, Unreachable
from aggregator.engines.spark.said import gist

OLDEST_JAVA = 17
_PAUSE_SECONDS, _END_SECONDS = 0.05, 10.0
_LOG4J = """rootLogger.level = {level}
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c: %m%n
"""


@dataclass(frozen=True)
class Jvm:
    process: subprocess.Popen[bytes]
    port: int
    secret: str
    log: Path

    def end(self) -> None:
        """Its standard input is what it lives by."""
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        for ask in (None, signal.SIGTERM, signal.SIGKILL):
            if ask is not None:
                self.process.send_signal(ask)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_SECONDS)
                return


def require_java() -> None:
    """Raise NoJava unless there is one that is new enough."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        raise NoJava("")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        raise NoJava("") from None
    found = re.search(r'version "(?:1\.)?(\d+)[^"]*"', said)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise NoJava(found[0].removeprefix("version ").strip('"') if found else "")


def start_jvm(settings: Mapping[str, str], folder: Path, master: str, seconds: float, secrets: Iterable[str]) -> Jvm:
    """In: settings of Spark by name, and a folder of our own. Raises Refused or Unreachable."""
    from pyspark.find_spark_home import _find_spark_home

    properties, told, log = folder / "spark.properties", folder / "gateway", folder / "spark.log"
    levels = folder / "log4j2.properties"
    levels.write_text(_LOG4J.format(level="warn"))
    (folder / "tmp").mkdir()
    options = f'"-Dlog4j2.configurationFile={levels.as_uri()}" "-Djava.io.tmpdir={folder / "tmp"}"'
    in_file = {**settings, "spark.driver.extraJavaOptions": f"{options} {settings.get('spark.driver.extraJavaOptions', '')}".strip()}
    properties.touch(0o600)
    properties.write_text(as_properties(in_file), encoding="latin-1")
    # What other libraries or another Spark have put into the environment is not what was asked.
    env = {name: value for name, value in os.environ.items() if name not in ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_TESTING")}
    env |= {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(told), "SPARK_CONNECT_MODE": "0", "LC_ALL": "C.UTF-8"}
    home = Path(_find_spark_home())
    if master.startswith("local-cluster"):
        home = _with_work_apart(home, folder / "home")
        env["SPARK_HOME"] = str(home)
    submit = home / "bin" / "spark-submit"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(submit), "--properties-file", str(properties), "pyspark-shell"],
            stdin=subprocess.PIPE, stdout=sink, stderr=sink, env=env, start_new_session=True, cwd=folder,
        )  # fmt: skip
    deadline = time.monotonic() + seconds
    try:
        while not told.is_file():
            if process.poll() is not None:
                raise Refused(master, gist(log.read_text(errors="replace"), secrets, ("Invalid ", "Exception in thread", "requirement failed", "rror: ")))
            if time.monotonic() > deadline:
                raise Unreachable(master, seconds)
            time.sleep(_PAUSE_SECONDS)
        time.sleep(_PAUSE_SECONDS)
        port, secret = _address(told.read_bytes())
    except BaseException:
        Jvm(process, 0, "", log).end()
        raise
    finally:
        told.unlink(missing_ok=True)
    return Jvm(process, port, secret, log)


def _with_work_apart(home: Path, mine: Path) -> Path:
    """Spark's home by links: workers that run within the driver leave their work there, and not in the installation."""
    mine.mkdir()
    for each in home.iterdir():
        if each.name != "work":
            (mine / each.name).symlink_to(each)
    return mine


def _address(told: bytes) -> tuple[int, str]:
    port, length = struct.unpack(">ii", told[:8])
    return port, told[8 : 8 + length].decode()


def as_properties(settings: Mapping[str, str]) -> str:
    """As a file of Java properties: what means something there is escaped, and all that is not ASCII."""

    def escaped(text: str) -> str:
        return "".join(f"\\{each}" if each in " \\:=#!" else each if " " <= each <= "~" else _units(each) for each in text)

    return "".join(f"{escaped(name)}={escaped(value)}\n" for name, value in settings.items())


def _units(character: str) -> str:
    coded = character.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(coded[at : at + 2]):04x}" for at in range(0, len(coded), 2))


def connected(jvm: Jvm) -> Any:
    """Py4J's gateway to it."""
    from pyspark.java_gateway import launch_gateway

    given = {"PYSPARK_GATEWAY_PORT": str(jvm.port), "PYSPARK_GATEWAY_SECRET": jvm.secret}
    os.environ.update(given)
    try:
        return launch_gateway()
    finally:
        for name in given:
            os.environ.pop(name, None)


def default_python() -> str:
    return sys.executable
