"""Why a ledger cannot be used, or does not do what was asked: each with its text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aggregator.model.errors import Busy, CannotCreate, CannotReadOrWrite, OurFault, WrongConfiguration, WrongUsage
from aggregator.model.place import Place
from aggregator.model.records import State
from aggregator.schemas.text import Text, counted

# ----------------------------------------------------------------------------------------------------- the ledger as a whole


class NoLedger(WrongConfiguration):
    def __init__(self, place: Place) -> None:
        super().__init__(
            f"There is no ledger {place}. Nothing was done. Name it with --ledger PATH or --out DIR; the first 'aggregator run' makes one.",
            f"台账 {place} 不存在。未执行任何操作。请用 --ledger 或 --out 指定；首次 aggregator run 会创建台账。",
        )


class LedgerRefused(WrongConfiguration):
    """It is no ledger, or not what was recorded. `why` completes a sentence about it."""

    def __init__(self, place: Place, why: Text) -> None:
        super().__init__(
            f"The ledger {place} {why.en} Nothing was done. Restore it from a backup, or name the right one with --ledger.",
            f"台账 {place} {why.zh}未执行任何操作。请从备份恢复，或用 --ledger 指定正确的台账。",
        )


class DatabaseUnfit(WrongConfiguration):
    """No ledger can be kept there. `why` completes a sentence about it; `remedy` is one."""

    def __init__(self, place: Place, why: Text, remedy: Text) -> None:
        super().__init__(
            f"The ledger {place} {why.en} Nothing was done. {remedy.en}",
            f"台账 {place} {why.zh}未执行任何操作。{remedy.zh}",
        )


class LedgerAltered(LedgerRefused):
    def __init__(self, place: Place, problems: Sequence[Text]) -> None:
        en, zh = "; ".join(text.en for text in problems[:5]), "；".join(text.zh for text in problems[:5])
        super().__init__(place, Text(f"was damaged or changed by hand: {en}.", f"已损坏或被手工改动：{zh}。"))


class LedgerOfAnEarlierVersion(WrongConfiguration):
    def __init__(self, place: Place, version: int, wanted: int) -> None:
        super().__init__(
            f"The ledger {place} has schema version {version}; version {wanted} is required. Nothing was done. 'aggregator ledger migrate' "
            "brings it forward; a backup is made first.",
            f"台账 {place} 的结构版本为 {version}，需要版本 {wanted}。未执行任何操作。请运行 aggregator ledger migrate 升级（会先自动备份）。",
        )


class LedgerInUse(Busy):
    def __init__(self, place: Place) -> None:
        super().__init__(
            f"Another program is using the ledger {place}. Nothing was done; try again when it has ended.",
            f"另一个程序正在使用台账 {place}。未执行任何操作；请在其结束后重试。",
        )


class LockHeld(Busy):
    def __init__(self, place: Place, wait_seconds: float) -> None:
        waited = f" after {wait_seconds:g} s" if wait_seconds else ""
        waited_zh = f"（已等待 {wait_seconds:g} 秒）" if wait_seconds else ""
        super().__init__(
            f"Another run holds the lock of {place}{waited}. Nothing was done; try again when it has ended, or wait for it "
            "with --lock-wait SECONDS.",
            f"另一次运行正占用 {place}{waited_zh}。未执行任何操作；请在其结束后重试，或用 --lock-wait 秒数 等待。",
        )


class CannotLock(CannotCreate):
    def __init__(self, place: Place, error: OSError) -> None:
        super().__init__(
            f"The lock {place}.lock cannot be made: {error.strerror}. Nothing was done. Check rights, disk space, and that the "
            "disk can lock files.",
            f"无法创建锁文件 {place}.lock：{error.strerror}。未执行任何操作。请检查权限、磁盘空间以及磁盘是否支持文件锁。",
        )


class CannotMakeLedger(CannotCreate):
    def __init__(self, place: Place, error: OSError) -> None:
        super().__init__(
            f"The ledger {place} cannot be made: {error.strerror}. Nothing was done. Check rights and disk space.",
            f"无法创建台账 {place}：{error.strerror}。未执行任何操作。请检查权限和磁盘空间。",
        )


class CannotReadLedger(CannotReadOrWrite):
    def __init__(self, place: Place, error: OSError) -> None:
        super().__init__(
            f"The ledger {place} cannot be read: {error.strerror}. Nothing was done. Check rights, and that its disk is there.",
            f"无法读取台账 {place}：{error.strerror}。未执行任何操作。请检查权限以及磁盘是否可用。",
        )


def _not_open(place: Place, why: str) -> Text:
    return Text(
        f"The ledger {place} cannot be written: {why}. Nothing was changed. Check rights and disk space, then run again.",
        f"无法写入台账 {place}：{why}。未作任何更改。请检查权限和磁盘空间后重新运行。",
    )


class CannotOpenLedger(CannotCreate):
    def __init__(self, place: Place, why: str) -> None:
        text = _not_open(place, why)
        super().__init__(text.en, text.zh)


class LedgerReadOnly(CannotReadOrWrite):
    def __init__(self, place: Place, why: str) -> None:
        text = _not_open(place, why)
        super().__init__(text.en, text.zh)


class CannotWriteLedger(CannotReadOrWrite):
    """In the middle of writing: what became of it is known only when it is opened again."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The ledger {place} cannot be written: {why}. Nothing was published. Check disk space and rights, then run again: what "
            "was under way is taken back, or finished if it was recorded already.",
            f"无法写入台账 {place}：{why}。未发布任何内容。请检查磁盘空间和权限后重新运行：未登记的操作将撤回，已登记的将自动完成。",
        )


class LedgerThere(CannotCreate):
    def __init__(self, place: Place) -> None:
        super().__init__(
            f"{place} holds tables already and is left as it is. Name a place that is empty.",
            f"{place} 中已有数据，未作更改。请指定空的位置。",
        )


class CopyDiffers(OurFault):
    def __init__(self, place: Place, table: str) -> None:
        super().__init__(
            f"the table {table} of the copy {place} is not the one that was copied; no copy was left. Report this.",
            f"副本 {place} 的表 {table} 与原表不一致；未保留副本。请报告此错误。",
        )


class LedgerMoved(WrongConfiguration):
    def __init__(self, place: Place, target: str) -> None:
        super().__init__(
            f"The ledger {place} was moved to {target} and is no longer used. Nothing was done. Name the new one: --ledger {target}, or "
            "ledger under [run] of the config.",
            f"台账 {place} 已迁移至 {target}，不再使用。未执行任何操作。请指定新台账：--ledger {target}，或写入配置的 [run]。",
        )


class OtherLedgerThere(WrongConfiguration):
    """What is there is no copy of it, or one that has gone another way since."""

    def __init__(self, place: Place, target: Place) -> None:
        super().__init__(
            f"{target} holds a ledger already, and it is not {place} as it stands. Nothing was changed. Name another schema "
            "(?schema=NAME), or remove the one that is there.",
            f"{target} 中已有台账，且与 {place} 的现状不一致。未作任何更改。请指定其他 schema（?schema=名称），或删除现有的 schema。",
        )


class CannotBackUp(CannotReadOrWrite):
    """The copy that is made before a ledger is brought forward."""

    def __init__(self, backup: Path, error: OSError) -> None:
        super().__init__(
            f"The backup {backup} cannot be made: {error.strerror}. The ledger was left as it is. Check rights and disk space.",
            f"无法创建备份 {backup}：{error.strerror}。台账保持不变。请检查权限和磁盘空间。",
        )


class CannotCopyLedger(CannotReadOrWrite):
    """A copy or an export that was asked for."""

    def __init__(self, target: Place, why: object) -> None:
        super().__init__(
            f"{target} cannot be written: {why}. The ledger is as it was. Check rights and disk space.",
            f"无法写入 {target}：{why}。台账未变。请检查权限和磁盘空间。",
        )


# ------------------------------------------------------------------------------------------------------- what was asked of it


class DeclaredTwice(OurFault):
    def __init__(self, why: object) -> None:
        super().__init__(
            f"an inventory would be declared twice ({why}); nothing was published. Report this.",
            f"有清单将被重复申报（{why}）；未发布任何内容。请报告此错误。",
        )


class UnknownRun(WrongUsage):
    def __init__(self, run_ref: str, last: Sequence[str]) -> None:
        super().__init__(
            f"The ledger has no run {run_ref}. Nothing was changed. Its last runs: {', '.join(last) or 'none'}.",
            f"台账中没有批次 {run_ref}。未作任何更改。最近的批次：{', '.join(last) or '无'}。",
        )


class VoidedBefore(WrongConfiguration):
    def __init__(self, run_ref: str) -> None:
        super().__init__(
            f"The run {run_ref} was voided before. Nothing was changed.", f"批次 {run_ref} 此前已作废。未作任何更改。"
        )


class RunAnswered(WrongConfiguration):
    """`answers`: what customs said, by application or inventory."""

    def __init__(self, run_ref: str, answers: dict[str, str]) -> None:
        listed = ", ".join(f"{ref} ({answer})" for ref, answer in sorted(answers.items())[:5])
        super().__init__(
            f"The run {run_ref} cannot be voided: customs has answered its applications {listed}. Nothing was changed. What "
            "customs refused is free to be declared again without it; what it accepted is changed by amending the declaration.",
            f"批次 {run_ref} 不能作废：海关已答复其汇总申请单 {listed}。未作任何更改。海关退回的清单无需作废即可重新申报；已受理的须通过修改报关单更正。",
        )


class UnknownApplication(WrongUsage):
    def __init__(self, application_ref: str) -> None:
        super().__init__(
            f"The ledger has no application {application_ref}. Nothing was changed. 'aggregator ledger show' lists all applications.",
            f"台账中没有汇总申请单 {application_ref}。未作任何更改。请运行 aggregator ledger show 查看。",
        )


class NoSuchAnswer(WrongConfiguration):
    def __init__(self, application_ref: str, state: State, answer: State) -> None:
        super().__init__(
            f"The application {application_ref} is {state} and cannot become {answer}. Nothing was changed. "
            "'aggregator ledger show' lists all applications.",
            f"汇总申请单 {application_ref} 的状态为 {state}，不能变为 {answer}。未作任何更改。请运行 aggregator ledger show 查看。",
        )


class NotWaiting(WrongUsage):
    def __init__(self, numbers: Sequence[str]) -> None:
        listed = ", ".join(numbers[:5])
        super().__init__(
            f"The ledger has no inventory {listed} among those that wait. Nothing was changed. 'aggregator status' lists them.",
            f"台账的待申报清单中没有 {listed}。未作任何更改。请运行 aggregator status 查看。",
        )


class FirstPeriodFixed(WrongConfiguration):
    def __init__(self, former: str, declared: int) -> None:
        super().__init__(
            f"The first period is {former[:4]}-{former[4:]} and cannot be changed any more: {counted(declared, 'inventory was', 'inventories were')} declared under "
            "it. Nothing was changed. What was declared elsewhere before is entered with 'aggregator ledger import'.",
            f"起始申报期为 {former[:4]}-{former[4:]}，已据此申报 {declared:,} 份清单，不能再更改。未作任何更改。"
            "此前在别处申报的清单请用 aggregator ledger import 登记。",
        )
