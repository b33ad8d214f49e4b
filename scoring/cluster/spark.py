"""Spark does the parts of a run over folders: it schedules them, and has them again where a machine is lost.

What is graded does not pass through it. A part is told the names of folders and what is asked; its task reads
the files and writes the results itself, by the same program as on one machine, one DuckDB a task. The rows of
folders that are not bucketed are moved once, from the tasks that read them to files of the buckets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rules.titles import Title, TitledError
from scoring.runs.country.work import Each, Part
from scoring.runs.file_error import FileError
from scoring.store.workspace import THREADS_VARIABLE

_TOLD = (FileError, TitledError)


class SparkError(TitledError):
    """Spark is not there, or could not do its part."""


@contextmanager
def on_spark(master: str) -> Iterator[Each]:
    """What does the parts of a run (:func:`scoring.runs.country.run.score_country`) on a cluster.

    :param master: ``local[4]``, ``spark://host:7077``, ``yarn``, ``k8s://…``. Other settings come from
        ``spark-defaults.conf`` and the environment (docs/cluster.md).
    :raises SparkError: where PySpark or the cluster can't be reached.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkError(
            Title(
                "没有安装PySpark;请先执行:pip install 'xinheng[spark]'",
                "PySpark is not installed; right: pip install 'xinheng[spark]'",
            )
        ) from None
    settings = {
        "spark.app.name": "xinheng",
        f"spark.executorEnv.{THREADS_VARIABLE}": "1",
        "spark.ui.showConsoleProgress": "false",
    }
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise _failed(error) from None
    try:
        yield _Spark(session.sparkContext)
    finally:
        session.stop()


@dataclass(frozen=True, slots=True)
class _Spark:
    context: Any

    def __call__(
        self, task: Callable[[Part], dict[str, Any]], parts: Sequence[Part]
    ) -> Iterator[dict[str, Any]]:
        """A task a part. An error that trying again does not mend comes back as what came of the part."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        if not parts:
            return
        try:
            found = self.context.parallelize(parts, len(parts)).map(_Told(task)).collect()
        except (Py4JError, PySparkException) as error:
            raise _failed(error) from None
        for one in found:
            if isinstance(one, Exception):
                raise one
            yield one


@dataclass(frozen=True, slots=True)
class _Told:
    task: Callable[[Any], dict[str, Any]]

    def __call__(self, part: Any) -> dict[str, Any] | Exception:
        try:
            return self.task(part)
        except _TOLD as error:
            return error


def _failed(error: Exception) -> SparkError:
    """What Spark says: the last of its lines that is no part of a trace."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line[0].isspace()]
    reason = lines[-1] if lines else type(error).__name__
    return SparkError(Title(f"Spark未能完成:{reason}", f"Spark could not do it: {reason}"))
