"""One cell holds something else: what people type, what programs and spreadsheets make of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.fields import Field
from tests.pollution.pollution import Fits, Pollution, of_rows, register
from tests.pollution.truth import COLUMNS, PLACES, ROWS, rows_with

Spoil = Callable[[str], str]
_UNKNOWN_TO_MESSAGES = ("status_code", "cleared_at")


def spoiled(round_no: int, spoils: Sequence[tuple[str, Spoil]], columns: Sequence[str] = COLUMNS, times: int = 1) -> Iterator[Pollution]:
    """Each column `times` times: line and way of spoiling rotate. All lines have their turn for the inventory number."""
    lines, ways = cycle(PLACES.items()), cycle(spoils)
    for _ in range(round_no):
        next(lines), next(ways)
    for column in columns:
        for _ in range(len(PLACES) if column == "inventory_no" else times):
            (called, line), (way, spoil) = next(lines), next(ways)
            value = ROWS[line][column] or next((row[column] for row in ROWS if row[column]), "")
            new = spoil(value)
            if new != ROWS[line][column]:
                # Into a blank cell comes the value of another line, which nobody would know to be wrong.
                yield of_rows(f"{called}.{column}.{way}", rows_with(line, **{column: new}), _fits(column), rows_with(line, **{column: value}))


def _fits(column: str) -> Fits:
    return lambda dialect: dialect.format != "message" or column not in _UNKNOWN_TO_MESSAGES


def _register(name: str, spoils: Sequence[tuple[str, Spoil]], wanted: Callable[[Field], bool] = lambda _: True, times: int = 1) -> None:
    columns = [column for column in COLUMNS if wanted(M9610.dictionary.by_column[column])]

    def make(round_no: int) -> Iterator[Pollution]:
        return spoiled(round_no, spoils, columns, times)

    register(name, make)


def _inside(mark: str) -> list[Spoil]:
    return [
        lambda value: mark + value,
        lambda value: value[: len(value) // 2] + mark + value[len(value) // 2 :],
        lambda value: value + mark,
    ]


def _each(marks: str) -> list[tuple[str, Spoil]]:
    return [(f"u{ord(mark):04x}-{where}", spoil) for mark in marks for where, spoil in zip(("before", "within", "behind"), _inside(mark), strict=True)]


def _is_number(field: Field) -> bool:
    return field.kind in ("decimal", "count")


def _is_no_name(field: Field) -> bool:
    return field.kind != "text"


_INVISIBLE = "\ufeff\u200b\u200c\u200d\u00ad\u200e\u200f\u202a\u202c\u202d\u202e\u2060\u2066\u2069\u061c\u180e"
_CONTROL = "\x00\x01\x02\x07\x08\x0b\x0c\x0e\x1a\x1b\x1c\x1e\x1f\x7f\x80\x85\x90\x9f\u2028\u2029"
_SPACES = " \u00a0\u3000\t\u2003\u2009\u202f\u205f"
_FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")
_MATHEMATICAL = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_CHINESE = str.maketrans("0123456789", "〇一二三四五六七八九")
_CYRILLIC = str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху")
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#########")
_NOTHING = ("NULL", "null", "None", "NaN", "nan", "N/A", "-", "--", "\\N", "无", "undefined", "0", "(空白)", "?")

_register("invisible", _each(_INVISIBLE), times=6)
_register("control", _each(_CONTROL), times=6)
_register("spaces-around", [(f"u{ord(mark):04x}", lambda value, mark=mark: f"{mark}{value}{mark}") for mark in _SPACES], times=2)
_register("space-within", [each for each in _each(_SPACES) if each[0].endswith("within")], _is_no_name, times=2)
_register("full-width", [("all", lambda value: value.translate(_FULL_WIDTH)), ("one", lambda value: value[:1].translate(_FULL_WIDTH) + value[1:])], times=2)
_register("other-digits", [
    ("arabic", lambda value: value.translate(_ARABIC)), ("devanagari", lambda value: value.translate(_DEVANAGARI)),
    ("mathematical", lambda value: value.translate(_MATHEMATICAL)), ("chinese", lambda value: value.translate(_CHINESE)),
    ("letter-o", lambda value: value.replace("0", "O", 1)), ("letter-l", lambda value: value.replace("1", "l", 1)),
    ("superscript", lambda value: value + "²"), ("circled", lambda value: value.replace("1", "①", 1)),
], _is_no_name, times=3)  # fmt: skip
_register("letters-alike", [("cyrillic", lambda value: value.translate(_CYRILLIC))], _is_no_name)
_register("other-case", [("lower", str.lower), ("upper", str.upper)])
_register("zeros-in-front", [
    ("lost", lambda value: value.lstrip("0")), ("added", lambda value: f"0{value}"), ("two-added", lambda value: f"00{value}"),
], _is_no_name, times=2)  # fmt: skip
_register("thousands-separator", [
    (name, lambda value, mark=mark: f"1{mark}{value.partition('.')[0]:0>3}{''.join(value.partition('.')[1:])}")
    for name, mark in (("comma", ","), ("space", " "), ("no-break", "\u00a0"), ("apostrophe", "'"), ("wide", "，"), ("thin", "\u2009"), ("dot", "."))
], _is_number, times=4)  # fmt: skip
_register("decimal-comma", [
    ("comma", lambda value: value.replace(".", ",") if "." in value else f"{value},0"), ("wide", lambda value: value.replace(".", "．")),
    ("two-dots", lambda value: f"{value}.0.0"), ("middle-dot", lambda value: value.replace(".", "·")), ("full-stop", lambda value: value.replace(".", "。")),
    ("bare", lambda value: f"{value}."), ("leading", lambda value: value.lstrip("0123456789") or f".{value}"),
], _is_number, times=4)  # fmt: skip
_register("trailing-zero", [
    (".0", lambda value: f"{value}.0"), ("0", lambda value: f"{value}0" if "." in value else f"{value}.000000"), ("zeros", lambda value: f"{value}.00000"),
], _is_no_name, times=2)  # fmt: skip
_register("sign", [
    ("plus", lambda value: f"+{value}"), ("minus", lambda value: f"-{value}"), ("behind", lambda value: f"{value}-"), ("brackets", lambda value: f"({value})"),
    ("long-minus", lambda value: f"−{value}"), ("dash", lambda value: f"–{value}"),
], _is_no_name, times=2)  # fmt: skip
_register("exponent", [
    ("e0", lambda value: f"{value}e0"), ("e+00", lambda value: f"{value}E+00"), ("shifted", lambda value: f"{value}E-01"), ("times", lambda value: f"{value}×10^0"),
], _is_number, times=2)  # fmt: skip
_register("scientific", [
    ("short", lambda value: f"{_digits(value):.2E}"), ("long", lambda value: f"{_digits(value):.14E}"), ("small-e", lambda value: f"{_digits(value):.5e}"),
    ("no-plus", lambda value: f"{_digits(value):.3E}".replace("+", "")), ("comma", lambda value: f"{_digits(value):.3E}".replace(".", ",")),
], _is_no_name, times=2)  # fmt: skip
_register("unit-behind", [
    (name, lambda value, text=text: f"{value}{text}") for name, text in (("kg", "kg"), ("pieces", "件"), ("yuan", "元"), ("percent", "%"), ("star", "*"), ("brackets", "(含税)"))
], _is_no_name, times=2)  # fmt: skip
_register("error-value", [(text.strip("#!?").replace("/", "") or "hashes", lambda _, text=text: text) for text in _ERRORS], times=2)
_register("word-for-nothing", [(f"{number}", lambda _, text=text: text) for number, text in enumerate(_NOTHING)], times=3)
_register("formula", [
    ("sum", lambda _: "=SUM(A1:A9)"), ("reference", lambda _: "=Sheet2!B7"), ("text", lambda value: f'="{value}"'), ("number", lambda value: f"={value}"),
    ("at", lambda value: f"@{value}"), ("command", lambda _: "=cmd|' /C calc'!A0"), ("concat", lambda value: f'=CONCATENATE("{value}","")'),
], times=2)  # fmt: skip
_register("apostrophe", [
    ("before", lambda value: f"'{value}"), ("two", lambda value: f"''{value}"), ("curly", lambda value: f"‘{value}"), ("back", lambda value: f"`{value}"),
    ("around", lambda value: f"'{value}'"), ("behind", lambda value: f"{value}'"),
], times=2)  # fmt: skip
_register("markup", [
    ("nbsp", lambda value: f"&nbsp;{value}"), ("amp", lambda value: f"{value}&amp;"), ("reference", lambda value: f"&#{ord(value[0])};{value[1:]}" if value else "&#48;"),
    ("bold", lambda value: f"<b>{value}</b>"), ("break", lambda value: f"{value}<br/>"), ("escape", lambda value: f"{value}\\n"), ("percent", lambda value: f"%20{value}"),
    ("cdata", lambda value: f"<![CDATA[{value}]]>"),
], _is_no_name, times=2)  # fmt: skip
_register("cut-off", [
    (f"{name}", lambda value, start=start, end=end: value[start:end])
    for name, start, end in (("last", 0, -1), ("two", 0, -2), ("four", 0, -4), ("half", 0, 9), ("one-left", 0, 1), ("first", 1, None), ("first-four", 4, None), ("first-eight", 8, None))
], times=4)  # fmt: skip
_register("doubled", [
    ("letter", lambda value: value[: len(value) // 2] + value[len(value) // 2 - 1 :]), ("value", lambda value: value + value), ("with-comma", lambda value: f"{value},{value}"),
    ("with-slash", lambda value: f"{value}/{value}"), ("with-line-end", lambda value: f"{value}\n{value}"), ("too-long", lambda value: value * 40),
], times=3)  # fmt: skip
_register("blank", [("empty", lambda _: ""), ("space", lambda _: " "), ("wide-space", lambda _: "\u3000"), ("no-break", lambda _: "\u00a0"), ("tab", lambda _: "\t"),
                    ("zero-width", lambda _: "\u200b"), ("mark", lambda _: "\ufeff")], times=3)  # fmt: skip


def _digits(value: str) -> float:
    digits = "".join(each for each in value if each in "0123456789.")
    return float(digits) if digits.strip(".") and digits.count(".") < 2 else 2.0261e17


def _mojibake(made_of: str, read_as: str) -> Spoil:
    return lambda value: value.encode(made_of, "replace").decode(read_as, "replace")


_register("mojibake", [
    ("utf-8-as-latin-1", _mojibake("utf-8", "latin-1")), ("utf-8-as-cp1252", _mojibake("utf-8", "cp1252")), ("utf-8-as-gbk", _mojibake("utf-8", "gb18030")),
    ("gbk-as-latin-1", _mojibake("gb18030", "latin-1")), ("gbk-as-utf-8", _mojibake("gb18030", "utf-8")), ("big5-as-gbk", _mojibake("big5", "gb18030")),
    ("question-marks", _mojibake("ascii", "ascii")), ("replaced", lambda value: "".join(each if each.isascii() else "\ufffd" for each in value)),
    ("tofu", lambda value: "".join(each if each.isascii() else "□" for each in value)), ("private", lambda value: f"{value}\ue5e5"), ("kuntangkao", lambda value: f"{value[:2]}锟斤拷"),
], lambda field: field.kind == "text", times=9)  # fmt: skip


_MOMENTS = (
    "2026/10/15 10:00:00", "2026/10/15 10:00", "2026/10/15", "2026.10.15", "2026年10月15日", "2026年10月15日 10时00分", "15/10/2026", "10/15/2026",
    "15.10.2026 10:00", "15-Oct-2026", "Oct 15, 2026", "26-10-15", "20261015", "202610151000", "20261015 100000", "2026-10-15T10:00:00", "2026-10-15T10:00:00+08:00",
    "2026-10-15 10:00:00 AM", "上午 2026-10-15 10:00:00", "2026-10-15 24:00:00", "2026-10-15 10:60:00", "2026-13-15 10:00:00", "2026-10-32", "46310.4166667", "1792029600",
    "1792029600000", "0000-00-00 00:00:00", "1970-01-01 08:00:00", "00:00.0", "2026-10", "十月十五日", "2.0261E+13", "２０２６－１０－１５ １０：００：００", "2026-10-15 10:00:00.0",
    "10:00:00", "2026-1-5", "2026-10-15,10:00:00", "星期四",
)  # fmt: skip


def _times(round_no: int) -> Iterator[Pollution]:
    names = list(PLACES)
    for number, moment in enumerate(_MOMENTS):
        for column in ("cleared_at", "export_on"):
            called = names[(number + round_no) % len(names)]
            rows = rows_with(PLACES[called], **{column: moment})
            yield of_rows(f"{called}.{column}.{number}", rows, _fits(column))


register("time", _times)
