"""The ledger on the screen and as JSON: its runs, and what a check of it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aggregator.model.records import FIRST_MODE, State
from aggregator.schemas.text import Lang, Text, counted

if TYPE_CHECKING:
    from aggregator.jobs.ledger import ShownRun
    from aggregator.jobs.ledger_check import Checked

STATES: dict[str, Text] = {
    State.APPLIED: Text("applied", "已申请"),
    State.ACCEPTED: Text("accepted", "已受理"),
    State.MERGED: Text("merged", "已汇总"),
    State.ENTERED: Text("entered", "已入报关单"),
    State.REFUSED: Text("refused", "已退单"),
    State.VOIDED: Text("voided", "已作废"),
    "live": Text("live", "有效"),
}


def state_name(state: str, lang: Lang) -> str:
    return STATES[state].in_lang(lang)


def states_text(states: dict[str, int], lang: Lang) -> str:
    return Text(", ", "、").in_lang(lang).join(f"{state_name(state, lang)} {count:,}" for state, count in states.items())


def run_lines(found: list[ShownRun], lang: Lang) -> list[str]:
    if not found:
        return [Text("No run.", "没有批次。").in_lang(lang)]
    lines = []
    for shown in found:
        run = shown.run
        period = _month(run.period) or Text("declared elsewhere", "别处申报").in_lang(lang)
        mode = "" if run.mode == FIRST_MODE else f"  {run.mode}"
        lines.append(f"{run.run_ref}  {period}{mode}  {state_name(run.state, lang)}  {run.recorded_at}  {run.folder or ''}".rstrip())
        late = Text(f" ({shown.late:,} late)", f"（其中补报 {shown.late:,}）").in_lang(lang) if shown.late else ""
        what = Text(counted(shown.declarations, "declaration", "declarations"), f"报关单 {shown.declarations:,} 份").in_lang(lang)
        inventories = states_text(shown.states, lang) or Text("no inventories", "无清单").in_lang(lang)
        lines.append(f"    {what}{Text('; inventories: ', '；清单：').in_lang(lang)}{inventories}{late}")
        for each in shown.applications:
            key = " ".join(part for part in (each.declaring_customs_code, each.consignor_code, each.declarant_code, each.premises_code) if part)
            reason = f"  {each.reason}" if each.reason else ""
            lines.append(f"    {each.application_ref}  {state_name(each.state, lang)}  {each.inventories:,}  {key}{reason}")
    return lines


def _month(period: str) -> str:
    return f"{period[:4]}-{period[4:]}" if period else ""


def runs_as_json(found: list[ShownRun]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "runs": [
            {
                "run_ref": shown.run.run_ref,
                "period": _month(shown.run.period),
                "mode": shown.run.mode,
                "state": shown.run.state,
                "recorded_at": shown.run.recorded_at,
                "folder": str(shown.run.folder) if shown.run.folder else None,
                "manifest_sha256": shown.run.manifest_sha256,
                "declarations": shown.declarations,
                "inventories": shown.states,
                "late": shown.late,
                "applications": [vars(each) for each in shown.applications],
            }
            for shown in found
        ],
    }


def check_lines(found: Checked, lang: Lang) -> list[str]:
    lines = [
        Text(f"completed an interrupted publication: {target}", f"已完成此前中断的发布：{target}").in_lang(lang) for target in found.finished
    ]
    for problem in found.problems:
        said = Text(f": {problem.what.en}. {problem.remedy.en}", f"：{problem.what.zh}。{problem.remedy.zh}")
        lines.append(f"{problem.subject}{said.in_lang(lang)}")
    counts = Text(
        f"{counted(found.events, 'event', 'events')}, {counted(found.runs, 'run', 'runs')}, {counted(found.inventories, 'inventory', 'inventories')} "
        f"and {counted(found.files, 'file', 'files')} looked at",
        f"已核对 {found.events:,} 条记录、{found.runs:,} 个批次、{found.inventories:,} 份清单、{found.files:,} 个文件",
    ).in_lang(lang)
    ending = (
        Text(f"{len(found.problems):,} not as recorded.", f"有 {len(found.problems):,} 处与登记不符。")
        if found.problems
        else Text("all as recorded.", "均与登记一致。")
    )
    return [*lines, f"{counts}{Text(': ', '：').in_lang(lang)}{ending.in_lang(lang)}"]


def check_as_json(found: Checked) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "ledger": str(found.ledger),
        "events": found.events,
        "runs": found.runs,
        "inventories": found.inventories,
        "files": found.files,
        "finished": found.finished,
        "problems": [
            {"subject": each.subject, "what": vars(each.what), "remedy": vars(each.remedy)} for each in found.problems
        ],
    }
