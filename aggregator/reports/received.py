"""What came of customs' answers, for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aggregator.domain.reconcile import Kind
from aggregator.jobs.receive import Received
from aggregator.jobs.reconciliation import Reconciled
from aggregator.reports.ledger import state_name
from aggregator.reports.orders import orders_text
from aggregator.schemas.text import Lang, Text, counted

_SHOWN = 10
KINDS: dict[Kind, Text] = {
    Kind.NOT_IN_RESULT: Text("applied for, and in no result of customs", "已申请汇总，但海关结果单中没有"),
    Kind.ITEM_NOT_IN_RESULT: Text("an item of an inventory is in no result", "清单的商品项不在结果单中"),
    Kind.ITEM_UNKNOWN: Text("a result has an item that the inventory has not", "结果单含有清单没有的商品项"),
    Kind.NOT_APPLIED: Text("in a result, and never applied for", "结果单中有，但从未申请汇总"),
    Kind.IN_TWO_RESULTS: Text("an item is in two results", "同一商品项出现在两份结果单中"),
    Kind.OTHER_COMMODITY: Text("customs has another commodity code", "海关的商品编码不同"),
    Kind.CUT: Text("what we merged into one item customs has in several", "我方归并为一项，海关分为多项"),
    Kind.JOINED: Text("what we kept apart customs has in one item", "我方分列，海关归并为一项"),
    Kind.WEIGHT: Text("the weight of a declaration differs", "报关单重量不同"),
    Kind.PART_MISSING: Text("a part of a result has not come yet", "结果单的分段尚未收到"),
    Kind.ANSWER_AFTER_REFUSAL: Text("of an application that was refused, and yet in a result", "所属申请已被退单，但仍出现在结果单中"),
    Kind.ANSWER_AFTER_VOID: Text("of a run that was voided, and yet customs answers", "所属批次已作废，但海关仍有答复"),
    Kind.HEADERS_JOINED: Text("a declaration of customs joins what must not mix", "海关一份报关单合并了不得合并的表头"),
    Kind.OTHER_CONSIGNOR: Text("a declaration of customs names another consignor", "海关报关单的收发货人不同"),
    Kind.OTHER_CUSTOMS: Text("a declaration of customs names another declaring customs", "海关报关单的申报地海关不同"),
    Kind.TWO_RUNS: Text("a declaration of customs holds inventories of several runs", "海关一份报关单含有多个批次的清单"),
    Kind.NUMBER_CHANGED: Text("the number of a declaration changed", "报关单编号发生变化"),
    Kind.NUMBER_TWICE: Text("two declarations of customs have one number", "两份汇总结果单的报关单编号相同"),
    Kind.PART_REFUSED: Text("a part of an application was refused, others were not", "申请单的部分分段被退单"),
}


def received_as_json(received: Received) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "exit_code": int(received.exit_code),
        "files": received.files,
        "known": received.known,
        "passed_over": dict(sorted(received.passed_over.items())),
        "documents": dict(sorted(received.documents.items())),
        "aside": [{"file": each.file, "row": each.row, "why": each.why.en} for each in received.aside],
        "applications": [{"application_ref": ref, "state": state} for ref, state in received.changed],
        "runs": [_run_as_json(run) for run in received.runs],
        "orders": received.orders,
    }


def _run_as_json(run: Reconciled) -> dict[str, Any]:
    return {
        "run_ref": run.run_ref,
        "folder": str(run.folder or ""),
        "applications": dict(sorted(run.applications.items())),
        "inventories": run.inventories,
        "lines": run.lines,
        "results": run.results,
        "declaration_nos": run.declaration_nos,
        "differences": dict(sorted(Counter(str(each.kind) for each in run.differences).items())),
    }


def received_lines(received: Received, lang: Lang) -> list[str]:
    def say(en: str, zh: str) -> str:
        return Text(en, zh).in_lang(lang)

    documents = _counted(received.documents, lang) or say("nothing new", "没有新内容")
    lines = [say(f"{counted(received.files, 'file', 'files')}, {received.known:,} of them known: {documents}.", f"{received.files:,} 个文件，其中 {received.known:,} 个此前已接收：{documents}。")]
    if received.passed_over:
        lines.append(say("  passed over: ", "  已略过：") + _counted(received.passed_over, lang))
    alike = Counter((each.file, each.why) for each in received.aside)
    for (file, why), count in list(alike.items())[:_SHOWN]:
        times = f" (× {count:,})" if count > 1 else ""
        lines.append(say(f"  quarantined: {file}: {why.en}{times}", f"  另存未用：{file}：{why.zh}{times}"))
    if len(alike) > _SHOWN:
        lines.append(say(f"  … and {len(alike) - _SHOWN:,} more; --json lists them", f"  …… 另有 {len(alike) - _SHOWN:,} 项；--json 可列出"))
    lines += [say(f"  {ref} is {state}", f"  {ref} 的状态为：{state_name(state, 'zh')}") for ref, state in received.changed]
    if received.orders:
        lines.append(say("  orders: ", "  订单：") + orders_text(received.orders, lang))
    for run in received.runs:
        lines += _run_lines(run, lang)
    return lines


_DOCUMENTS: dict[str, Text] = {
    "application_receipts": Text("receipts of applications", "汇总申请回执"), "results": Text("results", "汇总结果单"), "inventory_receipts": Text("receipts of inventories", "清单回执"),
    "order_receipts": Text("receipts of orders", "订单回执"), "receipts_of_other_orders": Text("receipts of other orders", "其他订单的回执"),
}  # fmt: skip


def _counted(documents: Mapping[str, int], lang: Lang) -> str:
    """Documents by kind; what is passed over is a message of another kind, by its name."""
    return Text(", ", "、").in_lang(lang).join(
        Text(f"{count:,} {_DOCUMENTS[kind].en if kind in _DOCUMENTS else kind}", f"{_DOCUMENTS[kind].zh if kind in _DOCUMENTS else kind} {count:,} 份").in_lang(lang)
        for kind, count in sorted(documents.items())
    )  # fmt: skip


def _run_lines(run: Reconciled, lang: Lang) -> list[str]:
    name = run.run_ref or Text("not of any run", "不属于任何批次").in_lang(lang)
    what = Text(
        f"{counted(run.inventories, 'inventory', 'inventories')}, {counted(run.lines, 'line', 'lines')} in {counted(run.results, 'declaration', 'declarations')} of customs, "
        f"{run.declaration_nos:,} of them numbered",
        f"{run.inventories:,} 份清单、{run.lines:,} 行，海关报关单 {run.results:,} 份，其中 {run.declaration_nos:,} 份已有编号",
    ).in_lang(lang)
    if not run.differences and not run.lines:
        return [Text(f"{name}: no result of customs yet.", f"{name}：尚无海关汇总结果单。").in_lang(lang)]
    if not run.differences:
        return [Text(f"{name}: customs agrees with our forecast: {what}.", f"{name}：海关结果与我方预测一致：{what}。").in_lang(lang)]
    lines = [Text(f"{name}: {what}; differences:", f"{name}：{what}；差异：").in_lang(lang)]
    for kind, count in sorted(Counter(each.kind for each in run.differences).items()):
        first = next(each for each in run.differences if each.kind == kind)
        example = " ".join(part for part in (first.subject, first.item_no, f"{first.ours} → {first.customs}".strip(" →")) if part)
        lines.append(f"  [{kind}] {count:,} × {KINDS[kind].in_lang(lang)} ({example})")
    lines.append(Text(f"  all of them: {run.folder}/reconciliation.csv", f"  全部差异：{run.folder}/reconciliation.csv").in_lang(lang))
    return lines
