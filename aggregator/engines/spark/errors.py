"""What keeps Spark from being used, as errors that own their text."""

from __future__ import annotations

from aggregator.model.errors import CannotReadOrWrite, OurFault, WrongConfiguration


class NoPySpark(WrongConfiguration):
    def __init__(self) -> None:
        super().__init__(
            "--engine spark needs PySpark, which is not installed: pip install 'aggregator[spark]'. Or use --engine local.",
            "--engine spark 需要 PySpark，但尚未安装：pip install 'aggregator[spark]'。或使用 --engine local。",
        )


class NoJava(WrongConfiguration):
    def __init__(self, found: str) -> None:
        seen_en, seen_zh = (f"found is {found}", f"现有 {found}") if found else ("none is found", "未找到")
        super().__init__(
            f"--engine spark needs Java 17 or newer; {seen_en}. Install it (Debian: openjdk-17-jre-headless) and see that `java` is on the "
            "PATH or JAVA_HOME names it. Or use --engine local.",
            f"--engine spark 需要 Java 17 或以上版本，{seen_zh}。请安装（Debian：openjdk-17-jre-headless），并将 java 加入 PATH 或设置 JAVA_HOME。或使用 --engine local。",
        )


class AnotherSession(WrongConfiguration):
    def __init__(self) -> None:
        super().__init__(
            "This process has a Spark session of its own already. Stop it first (spark.stop()), or use --engine local.",
            "本进程已有其他 Spark 会话。请先停止该会话（spark.stop()），或使用 --engine local。",
        )


class Refused(WrongConfiguration):
    """`why`: what Spark says, in a line."""

    def __init__(self, master: str, why: str) -> None:
        super().__init__(
            f"Spark does not start with --spark-master {master}: {why}. Correct the master or the [spark] table of the config.",
            f"无法以 --spark-master {master} 启动 Spark：{why}。请更正主节点地址或配置中的 [spark] 表。",
        )


class Unreachable(CannotReadOrWrite):
    def __init__(self, master: str, seconds: float) -> None:
        super().__init__(
            f"The Spark master {master} does not answer within {seconds:g} seconds. Nothing was published. Check that it runs and that this "
            "machine reaches it, or wait longer with --spark-wait.",
            f"Spark 主节点 {master} 在 {seconds:g} 秒内无响应，未发布任何内容。请确认其正在运行且本机可以访问，或用 --spark-wait 延长等待时间。",
        )


class NoExecutors(CannotReadOrWrite):
    def __init__(self, master: str, seconds: float) -> None:
        super().__init__(
            f"Spark at {master} has given no executor within {seconds:g} seconds. Nothing was published. Check that workers are registered "
            "and have the cores and memory that [spark] asks for, or wait longer with --spark-wait.",
            f"{master} 的 Spark 在 {seconds:g} 秒内未分配执行器，未发布任何内容。请检查工作节点是否已注册、资源是否满足 [spark] 的要求，或用 --spark-wait 延长等待时间。",
        )


class NotShared(WrongConfiguration):
    def __init__(self, path: str) -> None:
        super().__init__(
            f"Spark's executors do not see {path}. Results and inputs must be on a disk that all machines have under the same path; "
            "--work-dir names such a place for what the steps leave for one another.",
            f"Spark 执行器看不到 {path}。结果文件夹和输入文件须位于所有机器以同一路径挂载的磁盘上；中间数据可用 --work-dir 指定此类位置。",
        )


class OtherVersions(WrongConfiguration):
    def __init__(self, name: str, there: str, here: str) -> None:
        theirs_en, theirs_zh = (f"have {name} {there}", f"的 {name} 为 {there}") if there else (f"have no {name}", f"没有 {name}")
        super().__init__(
            f"Spark's executors {theirs_en}, this machine has {here}: results might differ. Install the same version there, or name another "
            "Python with \"spark.pyspark.python\" under [spark].",
            f"Spark 执行器{theirs_zh}，本机为 {here}，结果可能不一致。请安装相同版本，或在 [spark] 中用 \"spark.pyspark.python\" 指定其他 Python。",
        )


class NoPython(WrongConfiguration):
    """`why`: what Spark says, in a line."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Spark's executors cannot run our steps: {why}. They need Python and the libraries of this installation; "
            "\"spark.pyspark.python\" under [spark] names another Python.",
            f"Spark 执行器无法运行：{why}。执行器需安装相同的 Python 及依赖库；可在 [spark] 中用 \"spark.pyspark.python\" 指定其他 Python。",
        )


class ExecutorsLost(CannotReadOrWrite):
    def __init__(self) -> None:
        super().__init__(
            "Spark lost the executor of a task again and again, perhaps for want of memory. Nothing was published. Give executors more "
            "(\"spark.executor.memory\", \"spark.executor.memoryOverhead\" under [spark]) or fewer cores, then run again.",
            "Spark 反复丢失执行任务的执行器，可能是内存不足，未发布任何内容。请在 [spark] 中增大 \"spark.executor.memory\"、\"spark.executor.memoryOverhead\" 或减少核数后重新运行。",
        )


class SessionLost(CannotReadOrWrite):
    def __init__(self) -> None:
        super().__init__(
            "The Spark application was ended from outside, or its master was lost. Nothing was published; run again.",
            "Spark 应用被外部终止，或与主节点的连接已丢失。未发布任何内容，请重新运行。",
        )


class StepFailed(OurFault):
    """`why`: what Spark says, in a line."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Spark could not run a step: {why}. Nothing was published. Please report it; --engine local does without Spark.",
            f"Spark 无法执行某一步骤：{why}。未发布任何内容。请报告此错误；也可使用 --engine local。",
        )
