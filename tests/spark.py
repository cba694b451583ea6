"""Spark for the tests: two executors in processes of their own (`local-cluster`), started once for all modules."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.engines.spark.errors import NoJava
from aggregator.engines.spark.jvm import require_java
from aggregator.engines.spark.session import Session, spark_session
from aggregator.model.settings import SparkSettings

MASTER = "local-cluster[2,1,1024]"
MOUNTED = Path(tempfile.gettempdir()) / f"aggregator-tests-{os.getpid()}"
HADOOP = "viewfs://tests/data"
"""What a file system of Hadoop holds, and where it is on this disk."""
GIVEN = (
    ("spark.executorEnv.PYTHONPATH", str(Path(__file__).parents[1])),
    ("spark.hadoop.fs.viewfs.mounttable.tests.link./data", MOUNTED.as_uri()),
    ("spark.some.password", "hunter22"),
)
"""Where steps of tests are, and a secret that must not be seen."""
SETTINGS = SparkSettings(MASTER, 300.0, GIVEN)
ON_SPARK: dict[str, Any] = {"engine": "spark", "spark_master": MASTER, "spark_wait": 300.0, "spark": GIVEN}


def why_not() -> str:
    """Why Spark cannot be tested here; blank where it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed"
    try:
        require_java()
    except NoJava as error:
        return error.text.en
    return ""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    if reason := why_not():
        pytest.skip(reason)
    MOUNTED.mkdir(exist_ok=True)
    with spark_session(SETTINGS, tmp_path_factory.mktemp("spark")) as session:
        yield session
    shutil.rmtree(MOUNTED, ignore_errors=True)
