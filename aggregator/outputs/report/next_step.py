"""What is to be done after a run, in one sentence."""

from __future__ import annotations

from aggregator.model.outcome import Outcome
from aggregator.outputs.ceb701 import FOLDER
from aggregator.schemas.modes import Procedure
from aggregator.schemas.text import Text, counted


def next_step(outcome: Outcome) -> Text:
    steps = [*_to_file(outcome), *_to_correct(outcome)]
    if not steps:
        return Text("Nothing is to be done for this run.", "本批次无需进一步处理。")
    english, chinese = " and ".join(step.en for step in steps), "，并".join(step.zh for step in steps)
    english = english[:1].upper() + english[1:]
    left = outcome.working_days_left
    if left is None:
        return Text(f"{english}.", f"{chinese}。")
    if left < 0:
        return Text(f"{english} today: the deadline, {outcome.deadline}, is past.", f"申报期限 {outcome.deadline} 已过，请立即{chinese}。")
    return Text(f"{english} by {outcome.deadline}.", f"请在 {outcome.deadline} 前{chinese}。")


def _to_file(outcome: Outcome) -> list[Text]:
    made, inventories = outcome.counts["declarations"], outcome.counts["inventories_declared"]
    if not inventories:
        return []
    if outcome.mode.procedure is Procedure.PACK:
        return [Text(f"have the broker check and file the {counted(made, 'declaration draft', 'declaration drafts')}", f"将 {made:,} 份报关单草稿交报关单位核对并申报")]
    if outcome.mode.procedure is Procedure.ROUTE:
        if outcome.messages:
            return [Text(f"sign and send the {counted(outcome.messages, 'message', 'messages')} (CEB303, CEB603)", f"对 {outcome.messages:,} 份CEB303、CEB603报文签名并发送")]
        return [Text(f"file the {counted(inventories, 'order', 'orders')}", f"申报 {inventories:,} 份订单")]
    if outcome.messages:
        return [Text(
            f"sign and send the {counted(outcome.messages, 'CEB701 message', 'CEB701 messages')} in {FOLDER}/",
            f"对 {FOLDER}/ 中的 {outcome.messages:,} 份CEB701报文签名并发送",
        )]  # fmt: skip
    return [Text(
        f"apply to customs for the summary declaration of the {counted(inventories, 'declared inventory', 'declared inventories')}",
        f"就已申报的 {inventories:,} 份清单向海关提交汇总申请",
    )]  # fmt: skip


def _to_correct(outcome: Outcome) -> list[Text]:
    wording, lines = outcome.mode.wording, outcome.counts["lines_rejected"]
    if not lines:
        return []
    rejected = outcome.counts["inventories_rejected"]
    return [Text(
        f"correct the {counted(rejected, f'rejected {wording.unit.en}', f'rejected {wording.units.en}')} ({counted(lines, 'line', 'lines')}) in rejected/ and run {'it' if rejected == 1 else 'them'} again",
        f"修正 rejected/ 中被拒绝的 {rejected:,} 份{wording.units.zh}（{lines:,} 行）后重新运行",
    )]  # fmt: skip
