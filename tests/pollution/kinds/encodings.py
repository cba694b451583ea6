"""Text in an encoding that nobody expects, throughout or in one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Dialect, grid_of, records_of, text_of
from tests.pollution.pollution import Pollution, kind, text_only
from tests.pollution.truth import COLUMNS, PLACES, ROWS, Rows, is_sound, rows_with

_NAMES = tuple(column for column in COLUMNS if M9610.dictionary.by_column[column].kind == "text")
_TRADITIONAL = {
    "declarant_name": "深圳通達報關行有限公司", "consignor_name": "深圳星河跨境電子商務有限公司", "producer_seller_name": "義烏市晨光日用品廠", "goods_name": "棉製針織衫",
    "enterprise_goods_name": "棉製針織衫 現貨", "goods_spec": "棉製|無牌",
}  # fmt: skip
_JAPANESE = {
    "declarant_name": "東京通関サービス株式会社", "consignor_name": "星河ネットワーク株式会社", "producer_seller_name": "晨光日用品製作所", "goods_name": "コットンTシャツ",
    "enterprise_goods_name": "コットンTシャツ 新品", "goods_spec": "綿製|ノーブランド",
}  # fmt: skip
_KOREAN = {
    "declarant_name": "서울통관서비스", "consignor_name": "별강전자상거래", "producer_seller_name": "새벽빛생활용품", "goods_name": "면 티셔츠", "enterprise_goods_name": "면 티셔츠 신상", "goods_spec": "면|무상표",
}  # fmt: skip
_WESTERN = {
    "declarant_name": "Zollagentur Müller", "consignor_name": "Königsfluß Handels GmbH", "producer_seller_name": "Société Générale d'Été", "goods_name": "Baumwoll-T-Shirt für Größe 40",
    "enterprise_goods_name": "Chaussures d'été à lacets", "goods_spec": "100 % coton|sans marque, modèle déposé",
}  # fmt: skip
_RUSSIAN = {
    "declarant_name": "Таможенный брокер Восток", "consignor_name": "Звёздная река", "producer_seller_name": "Фабрика Рассвет", "goods_name": "Футболка хлопковая", "enterprise_goods_name": "Футболка новая",
    "goods_spec": "хлопок|без марки",
}  # fmt: skip
_SIMPLIFIED: dict[str, str] = {}
_ENCODINGS: dict[str, tuple[str, Mapping[str, str]]] = {
    "big5": ("big5", _TRADITIONAL), "big5hkscs": ("big5hkscs", _TRADITIONAL), "euc-tw-like": ("cp950", _TRADITIONAL), "shift-jis": ("shift_jis", _JAPANESE), "euc-jp": ("euc_jp", _JAPANESE),
    "iso-2022-jp": ("iso2022_jp", _JAPANESE), "euc-kr": ("euc_kr", _KOREAN), "cp949": ("cp949", _KOREAN), "latin-1": ("latin-1", _WESTERN), "cp1252": ("cp1252", _WESTERN), "mac-roman": ("mac_roman", _WESTERN),
    "koi8-r": ("koi8-r", _RUSSIAN), "cp1251": ("cp1251", _RUSSIAN), "cp866": ("cp866", _RUSSIAN), "iso-8859-5": ("iso8859-5", _RUSSIAN), "hz": ("hz", _SIMPLIFIED), "utf-7": ("utf-7", _SIMPLIFIED),
    "utf-32": ("utf-32", _SIMPLIFIED), "utf-32-be": ("utf-32-be", _SIMPLIFIED), "utf-16-be": ("utf-16-be", _SIMPLIFIED), "utf-16-le": ("utf-16-le", _SIMPLIFIED), "gbk": ("gbk", _SIMPLIFIED),
    "gb2312": ("gb2312", {"goods_spec": "棉制|无牌"}), "cp037": ("cp037", _WESTERN), "quoted": ("unicode_escape", _SIMPLIFIED), "rot13": ("utf-8", _SIMPLIFIED),
}  # fmt: skip


def _text(rows: Rows, dialect: Dialect) -> str:
    return text_of(records_of(grid_of(rows, dialect), dialect), dialect)


def _hz(text: str) -> bytes:
    return text.encode("hz", "replace")


@kind
def encoding(round_no: int) -> Iterator[Pollution]:
    """Of the whole file; names are of the language that the encoding is for, in all rows or in some."""
    for name, (codec, names) in _ENCODINGS.items():
        if name == "rot13":
            continue
        for some in ("all", "few", "one"):
            step = {"all": 1, "few": 5, "one": 100}[some]
            rows = [{**row, **names} if place % step == 0 or not names else {**row, **_plain(row)} for place, row in enumerate(ROWS)]
            if not names and some != "all":
                rows = [row if place % step == 0 else {**row, **_plain(row)} for place, row in enumerate(ROWS)]

            def change(_: bytes, dialect: Dialect, codec: str = codec, rows: Rows = rows) -> bytes:
                return _text(rows, dialect).encode(codec, "replace")

            for headings in ("own", "chinese"):
                yield Pollution(f"{name}.{some}.{headings}", data=change, truths=(rows,), fits=lambda dialect, headings=headings: text_only(dialect) and dialect.headings == headings and dialect.frame == "plain")


def _plain(row: dict[str, str]) -> dict[str, str]:
    """Names in ASCII, so that nothing else shows the encoding."""
    return {column: f"Name {COLUMNS.index(column)} of {row['commodity_code']}" for column in _NAMES} | {"voyage_no": "CZ3085"}


@kind
def damaged_decoding(round_no: int) -> Iterator[Pollution]:
    """The whole file decoded wrongly by some program and saved again."""
    ways: dict[str, Callable[[str], bytes]] = {
        "utf-8-as-latin-1": lambda text: text.encode().decode("latin-1").encode(), "utf-8-as-cp1252": lambda text: text.encode().decode("cp1252", "replace").encode(),
        "utf-8-as-gbk": lambda text: text.encode().decode("gb18030", "replace").encode(), "gbk-as-latin-1": lambda text: text.encode("gb18030").decode("latin-1").encode(),
        "gbk-as-utf-8": lambda text: text.encode("gb18030").decode("utf-8", "replace").encode(), "gbk-as-big5": lambda text: text.encode("gb18030").decode("big5", "replace").encode(),
        "big5-as-gbk": lambda text: text.encode("big5", "replace").decode("gb18030", "replace").encode(), "ascii": lambda text: text.encode("ascii", "replace"),
        "ascii-ignored": lambda text: text.encode("ascii", "ignore"), "xml-references": lambda text: text.encode("ascii", "xmlcharrefreplace"), "backslashes": lambda text: text.encode("ascii", "backslashreplace"),
        "utf-8-as-gbk-in-gbk": lambda text: text.encode().decode("gb18030", "replace").encode("gb18030"), "utf-8-as-latin-1-in-gbk": lambda text: text.encode().decode("latin-1").encode("gb18030"),
        "gbk-as-utf-8-in-gbk": lambda text: text.encode("gb18030").decode("utf-8", "replace").encode("gb18030"), "twice": lambda text: text.encode().decode("latin-1").encode().decode("latin-1").encode(),
        "utf-16-as-bytes": lambda text: text.encode("utf-16-le").replace(b"\0", b""),
    }  # fmt: skip
    for name, change in ways.items():
        for headings in ("own", "official", "chinese"):
            yield Pollution(f"{name}.{headings}", data=lambda _, dialect, change=change: change(_text(ROWS, dialect)),
                            fits=lambda dialect, headings=headings: text_only(dialect) and dialect.headings == headings)  # fmt: skip


_TOKEN = "QZXQZ"


def _as_any_name(line: int, column: str, raw: bytes, encoding: str) -> list[Rows]:
    """The line with what these bytes say in the file's own encoding, where that is a name of everyday characters: nobody could
    tell that it is none."""
    try:
        read = raw.decode(encoding.replace("utf-16", "utf-16-le"))
        everyday = read.encode("gb2312").decode("gb2312") == read
    except UnicodeError:
        return []
    return [rows_with(line, **{column: read})] if everyday and is_sound(column, read) else []
_CELLS: dict[str, tuple[str, str]] = {
    "gb18030": ("棉制儿童套衫", "gb18030"), "utf-8": ("棉制儿童套衫", "utf-8"), "big5": ("棉製兒童套衫", "big5"), "euc-kr": ("면 티셔츠", "euc_kr"), "shift-jis": ("コットンシャツ", "shift_jis"),
    "latin-1": ("Größe für Füße", "latin-1"), "cp1252": ("“Taille” – été", "cp1252"), "utf-16": ("棉制套衫", "utf-16-le"), "hz": ("棉制套衫", "hz"), "utf-7": ("棉制套衫", "utf-7"), "cp1251": ("Футболка", "cp1251"),
    "lone-byte": ("\xb9", "latin-1"), "cut-character": ("\xe6\xa3", "latin-1"), "euro": ("\x80 12", "latin-1"), "surrogate": ("\ud83d", "utf-8"), "overlong": ("\xc0\xaf", "latin-1"), "cesu": ("\ud83d\ude00", "utf-8"),
}  # fmt: skip


@kind
def encoding_of_one_cell(round_no: int) -> Iterator[Pollution]:
    turns = cycle(PLACES.items())
    for number, (name, (text, codec)) in enumerate(_CELLS.items()):
        for step, column in enumerate(("goods_name", "goods_spec", "enterprise_goods_name", "consignor_name", "order_no", "sku", "declarant_name")):
            if (number + step + round_no) % 2:
                continue
            called, line = next(turns)
            raw = text.encode(codec, "surrogatepass" if codec == "utf-8" else "strict")

            def change(data: bytes, dialect: Dialect, raw: bytes = raw) -> bytes:
                token = _TOKEN.encode("utf-16-le") if dialect.encoding == "utf-16" else _TOKEN.encode()
                return data.replace(token, raw)

            meant = rows_with(line, **{column: text if name != "euro" else "€ 12"})
            # Whatever writes UTF-16 has no bytes, but characters: only half of a pair may slip through.
            for own in ("utf-8", "gb18030", *(["utf-16"] if name in ("utf-16", "surrogate") else [])):
                right = own.startswith(codec.removesuffix("-le"))
                truths = (ROWS, meant, ROWS) if right or name == "euro" else (ROWS, *_as_any_name(line, column, raw, own), ROWS)
                yield Pollution(f"{called}.{column}.{name}.in-{own}", rows=lambda _, line=line, column=column: rows_with(line, **{column: _TOKEN}), data=change, truths=truths,
                                fits=lambda dialect, own=own: text_only(dialect) and dialect.encoding == own)  # fmt: skip
