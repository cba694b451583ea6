"""What changed between two runs, on the screen and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aggregator.schemas.column_names import called
from aggregator.schemas.text import Lang, Text

if TYPE_CHECKING:
    from aggregator.jobs.diff import Difference, Head

_FATES = {
    "declared": Text("declared", "已申报"), "excluded": Text("excluded", "排除"), "rejected": Text("rejected", "拒绝"), "absent": Text("not in it", "不在该批次"),
}  # fmt: skip
_ITEMS = {"new": Text("only in the second", "仅第二批次有"), "gone": Text("only in the first", "仅第一批次有"), "changed": Text("with other sums", "合计不同")}


def diff_lines(found: Difference, lang: Lang) -> list[str]:
    def say(en: str, zh: str) -> str:
        return Text(en, zh).in_lang(lang)

    before, after = found.before, found.after
    lines = [f"{before.folder} ({before.period})  →  {after.folder} ({after.period})"]
    if found.same:
        return [*lines, say("  The same inventories, fates, items and sums.", "  清单、去向、商品项与合计均相同。")]
    lines.append(f"  {say('declarations', '报关单')}  {before.declarations:,} → {after.declarations:,}")
    lines += [f"  {say(name, _BUCKETS[name])}  {before.inventories[name]:,} → {after.inventories[name]:,}" for name in before.inventories]
    if found.fates:
        lines.append(say("Inventories with another fate:", "去向不同的清单："))
    for (was, now), count in found.fates.items():
        way = f"{_FATES[was].in_lang(lang)} → {_FATES[now].in_lang(lang)}" if was != now else f"{_FATES[was].in_lang(lang)}{say(', for other reasons', '，原因不同')}"
        lines.append(f"  {count:,}  {way}")
        examples = [each for each in found.fate_examples if (each["before"], each["after"]) == (was, now)]
        lines += [f"      {each['inventory_no']}  {_why(each)}".rstrip() for each in examples]
        lines += _more(count, len(examples), lang)
    lines += _meanings(found, lang)
    if found.lines:
        lines.append(say(f"Inventories declared in both with other content: {found.inventories_changed:,}", f"两批次均申报但内容不同的清单：{found.inventories_changed:,} 份"))
        lines += [f"  {count:,}  {called(column, found.mode.dictionary, lang) if column else say('lines in one run only', '仅一个批次有的行')}" for column, count in found.lines.items()]
        for each in found.line_examples:
            what = f"{called(each['column'], found.mode.dictionary, lang)}  {each['before']} → {each['after']}" if each["column"] else say("only in the first", "仅第一批次有") if each["before"] else say("only in the second", "仅第二批次有")
            lines.append(f"      {each['inventory_no']}/{each['item_no']}  {what}")
        lines += _more(sum(found.lines.values()), len(found.line_examples), lang)
    if found.items:
        lines.append(say("Declaration items, by what they are merged by:", "报关单商品项（按归并依据比较）："))
        lines += [f"  {count:,}  {_ITEMS[kind].in_lang(lang)}" for kind, count in found.items.items()]
        for each in found.item_examples:
            named = " ".join(str(value) for name, value in each.items() if name not in found.item_sums and value)
            lines.append(f"      {named}")
            lines += [f"          {called(name, found.mode.dictionary, lang)}  {_number(each[name][0])} → {_number(each[name][1])}" for name in found.item_sums if each[name][0] != each[name][1]]
        lines += _more(sum(found.items.values()), len(found.item_examples), lang)
    if found.totals:
        lines.append(say("Control totals:", "控制合计："))
    for row in found.totals:
        changed = ", ".join(f"{say(name, _BUCKETS[name])} {_number(row[name][0])} → {_number(row[name][1])}" for name in _BUCKETS if row[name][0] != row[name][1])
        lines.append(f"  {called(row['column'], found.mode.dictionary, lang)} {row['currency_or_unit']}".rstrip() + f"  {changed}")
    return lines


_BUCKETS = {"read": "读入", "declared": "申报", "rejected": "拒绝", "excluded": "排除"}


def _why(example: dict[str, Any]) -> str:
    return " → ".join(filter(None, dict.fromkeys((example["why_before"], example["why_after"]))))


def _meanings(found: Difference, lang: Lang) -> list[str]:
    """What the rules and reasons that are named say."""
    named = dict.fromkeys(" ".join(f"{each['why_before']} {each['why_after']}" for each in found.fate_examples).split())
    texts = {rule.reason or rule.code: rule.message for rule in found.mode.rules}
    return [f"      {name}: {texts[name].in_lang(lang)}" for name in named if name in texts]


def _more(count: int, shown: int, lang: Lang) -> list[str]:
    if not shown or count <= shown:
        return []
    return [Text(f"      … and {count - shown:,} more (--max, --json)", f"      …… 另有 {count - shown:,} 个（--max，--json）").in_lang(lang)]


def _number(value: Decimal | None) -> str:
    return "–" if value is None else f"{value.normalize():,f}" if value else "0"


def diff_as_json(found: Difference) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "same": found.same,
        "before": _head(found.before),
        "after": _head(found.after),
        "fates": [{"before": was, "after": now, "inventories": count} for (was, now), count in found.fates.items()],
        "fate_examples": found.fate_examples,
        "inventories_changed": found.inventories_changed,
        "values_changed": {column or "line": count for column, count in found.lines.items()},
        "value_examples": found.line_examples,
        "items": found.items,
        "item_examples": [_told(each) for each in found.item_examples],
        "control_totals": [_told(each) for each in found.totals],
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: {"before": _plain(value[0]), "after": _plain(value[1])} if isinstance(value, tuple) else value for name, value in row.items()}


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _head(head: Head) -> dict[str, Any]:
    return {"run_ref": head.run_ref, "period": head.period, "folder": head.folder, "declarations": head.declarations, "inventories": head.inventories}
