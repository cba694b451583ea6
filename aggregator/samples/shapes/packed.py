"""Shapes of archives and of Parquet: packed, typed, cut off, and hostile."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.samples.shapes.formats import as_csv, as_gzip, as_parquet, as_workbook, as_zip, table_of
from aggregator.samples.shapes.shape import Shape, changed, exact, finding, lines, plain, stop
from aggregator.schemas.modes.m9610.fields import DICTIONARY
from aggregator.schemas.patterns import CHINA


def _two_files() -> bytes:
    rows = lines()
    return as_zip({"b.csv": as_csv(table_of(rows[4:])), "a.csv": as_csv(table_of(rows[:4]), encoding="gb18030")})


def _of_names(*names: str) -> Callable[[], bytes]:
    return lambda: as_zip(dict.fromkeys(names, plain()))


def _twice_named() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.csv", plain())
        archive.writestr("b.csv", plain())
    return sink.getvalue().replace(b"b.csv", b"a.csv")


def _chinese_names() -> bytes:
    """Names in GB18030 without the mark of UTF-8, as archivers in China write them."""
    name, placeholder = "清单.csv".encode("gb18030"), b"xxxx.csv"
    return as_zip({placeholder.decode(): plain()}).replace(placeholder, name)


def _encrypted() -> bytes:
    """The mark of encryption set in both headers of its member."""
    data = bytearray(as_zip({"a.csv": plain()}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _one_byte_wrong() -> bytes:
    data = bytearray(as_zip({"a.csv": plain()}))
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def _bomb() -> bytes:
    return gzip.compress(plain() + b"\n" * (32 << 20), mtime=0)


def _zip_bomb() -> bytes:
    return as_zip({"a.csv": plain() + b"\n" * (32 << 20)})


def _typed(change: Callable[[dict[str, pa.Array]], dict[str, pa.Array]]) -> Callable[[], bytes]:
    def make() -> bytes:
        table = pa.Table.from_pylist([{column: cell or None for column, cell in line.items()} for line in lines()])
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(change({name: table[name].combine_chunks() for name in table.column_names})), sink, row_group_size=3)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    return make


def _cast(dtype: pa.DataType, *columns: str) -> Callable[[], bytes]:
    return _typed(lambda arrays: {name: values.cast(dtype) if name in columns else values for name, values in arrays.items()})


def _short_floats(column: str) -> Callable[[], bytes]:
    """Floats of 32 bits, which hold seven digits of ten."""
    return _typed(lambda arrays: arrays | {column: pa.array([float(value) for value in arrays[column].to_pylist()], pa.float32())})


def _with_a_fraction(dtype: pa.DataType, column: str) -> Callable[[], bytes]:
    """Numbers of which the last is no whole one."""

    def change(arrays: dict[str, pa.Array]) -> dict[str, pa.Array]:
        texts = arrays[column].to_pylist()
        return arrays | {column: pa.array([*texts[:-1], f"{texts[-1]}.5"]).cast(dtype)}

    return _typed(change)


def _decimals(scale: int) -> Callable[[], bytes]:
    def change(arrays: dict[str, pa.Array]) -> dict[str, pa.Array]:
        given = [name for name in DICTIONARY.decimals if name in arrays]
        return arrays | {
            name: pa.array([None if v is None else decimal.Decimal(v) for v in arrays[name].to_pylist()], pa.decimal128(30, scale))
            for name in given
        }

    return _typed(change)


def _moments(zone: str | None, unit: str = "us", more: int = 0) -> Callable[[], bytes]:
    """Times in the given unit, with so many units more than were written."""

    def change(arrays: dict[str, pa.Array]) -> dict[str, pa.Array]:
        moments = [dt.datetime.fromisoformat(text) for text in arrays["cleared_at"].to_pylist()]
        zoned = [moment.replace(tzinfo=CHINA) for moment in moments]
        kind = pa.timestamp(unit, zone)
        counts = pa.array(zoned if zone else moments, kind).cast(pa.int64())
        return arrays | {"cleared_at": pc.add(counts, more).cast(kind)}

    return _typed(change)


PACKED: tuple[Shape, ...] = (
    exact("gzip", "csv.gz", lambda: as_gzip(plain())),
    exact("gzip-of-two-members", "csv.gz", lambda: as_gzip(plain()[:700]) + as_gzip(plain()[700:])),
    exact("gzip-called-csv", "csv", lambda: as_gzip(plain())),
    exact("gzip-of-a-workbook", "xlsx.gz", lambda: as_gzip(as_workbook({"清单": table_of(lines())}))),
    exact("zip-of-two-files", "zip", _two_files),
    exact("zip-of-a-workbook", "zip", lambda: as_zip({"清单.xlsx": as_workbook({"清单": table_of(lines())})})),
    exact("zip-of-folders", "zip", lambda: as_zip({"2026/10/清单.csv": plain(), "__MACOSX/2026/10/._清单.csv": b"\0\5\26\7", "readme.md": b"x"})),
    exact("zip-of-chinese-names", "zip", _chinese_names),
    exact("parquet", "parquet", lambda: as_parquet(lines())),
    exact("parquet-dictionaries", "parquet", _cast(pa.dictionary(pa.int32(), pa.string()), "goods_name", "consignor_code", "inventory_no")),
    exact("parquet-whole-numbers", "parquet", _cast(pa.int64(), "commodity_code", "item_no", "package_count", "declared_quantity")),
    exact("parquet-floating-numbers", "parquet", _cast(pa.float64(), "total_price", "unit_price", "gross_weight_kg", "declared_quantity")),
    exact("parquet-decimals", "parquet", _decimals(5)),
    exact("parquet-decimals-of-many-places", "parquet", _decimals(9)),
    exact("parquet-times", "parquet", _moments(None)),
    exact("parquet-times-of-a-zone", "parquet", _moments("UTC")),
    *(
        exact(f"parquet-times-in-{unit}{'-of-a-zone' if zone else ''}", "parquet", _moments(zone, unit, more))
        for unit, more in (("s", 0), ("ms", 7), ("us", 1_234), ("ns", 1_234_567)) for zone in (None, "Asia/Shanghai")
    ),
    exact("parquet-large-strings", "parquet", _cast(pa.large_string(), "goods_name", "inventory_no")),
    exact("parquet-codes-as-floats", "parquet", _cast(pa.float64(), "commodity_code", "declarant_code", "item_no", "package_count")),
    exact("parquet-counts-as-short-floats", "parquet", _cast(pa.float32(), "item_no", "package_count", "transport_mode_code", "arrival_country_code")),
    exact("parquet-codes-as-decimals", "parquet", _cast(pa.decimal128(30, 6), "commodity_code", "declarant_code", "item_no", "package_count")),
    finding("R107", "parquet-commodity-codes-as-short-floats", "parquet", _short_floats("commodity_code")),
    finding("R114", "parquet-declarant-codes-as-short-floats", "parquet", _short_floats("declarant_code")),
    finding("R114", "parquet-declarant-code-with-a-fraction", "parquet", _with_a_fraction(pa.float64(), "declarant_code")),
    finding("R107", "parquet-commodity-code-with-a-fraction", "parquet", _with_a_fraction(pa.decimal128(30, 6), "commodity_code")),
    finding("R111", "parquet-units-as-numbers", "parquet", _cast(pa.int32(), "declared_unit_code")),
    finding("R121", "parquet-list-numbers-as-floats", "parquet", _typed(lambda arrays: arrays | {"inventory_no": pa.array([2.2442026e17 + n for n in range(8)])})),
    finding("R103", "zip-of-a-faulty-file", "zip", lambda: as_zip({"a.csv": as_csv(table_of(changed(4, total_price="1,0")))})),
    stop("F108", "gzip-cut-off", "csv.gz", lambda: as_gzip(plain())[:-200]),
    stop("F108", "gzip-without-its-end", "csv.gz", lambda: as_gzip(plain())[:-4]),
    stop("F108", "gzip-with-a-wrong-sum", "csv.gz", lambda: as_gzip(plain())[:-8] + bytes(8)),
    stop("F108", "gzip-with-more-behind-it", "csv.gz", lambda: as_gzip(plain()) + b"more"),
    stop("F108", "gzip-with-wrong-bytes", "csv.gz", lambda: as_gzip(plain())[:60] + bytes(60) + as_gzip(plain())[120:]),
    stop("F109", "gzip-bomb", "csv.gz", _bomb),
    stop("F109", "gzip-of-gzip", "csv.gz.gz", lambda: as_gzip(as_gzip(plain()))),
    stop("F108", "zip-cut-off", "zip", lambda: _two_files()[:-30]),
    stop("F108", "zip-with-one-byte-wrong", "zip", _one_byte_wrong),
    stop("F108", "zip-with-a-password", "zip", _encrypted),
    stop("F109", "zip-with-a-name-above-it", "zip", _of_names("../a.csv")),
    stop("F109", "zip-with-an-absolute-name", "zip", _of_names("/tmp/a.csv")),
    stop("F109", "zip-with-a-windows-name", "zip", _of_names("C:\\a.csv")),
    stop("F109", "zip-with-a-name-above-it-in-windows", "zip", _of_names("x\\..\\..\\a.csv")),
    stop("F109", "zip-with-a-blank-name", "zip", _of_names("", "a.csv")),
    stop("F109", "zip-with-a-dot-for-a-name", "zip", _of_names(".", "a.csv")),
    stop("F109", "zip-with-a-name-twice", "zip", _twice_named),
    stop("F109", "zip-of-nothing", "zip", lambda: as_zip({})),
    stop("F109", "zip-of-other-files", "zip", lambda: as_zip({"readme.pdf": b"%PDF"})),
    stop("F109", "zip-of-zip", "zip", lambda: as_zip({"a.zip": as_zip({"a.csv": plain()})})),
    stop("F109", "zip-bomb", "zip", _zip_bomb),
    stop("F109", "zip-of-ten-thousand-files", "zip", lambda: as_zip({f"{number}.csv": b"x" for number in range(10_001)})),
    stop("F108", "parquet-cut-off", "parquet", lambda: as_parquet(lines())[:-100]),
    stop("F108", "parquet-with-wrong-bytes", "parquet", lambda: as_parquet(lines())[:200] + bytes(400) + as_parquet(lines())[600:]),
    stop("F108", "parquet-of-lists", "parquet", _typed(lambda arrays: arrays | {"goods_name": pa.array([["a"]] * 8)})),
    stop("F101", "parquet-of-another-table", "parquet", _typed(lambda arrays: {"a": arrays["goods_name"]})),
    stop("F102", "parquet-without-a-column", "parquet", _typed(lambda arrays: {n: v for n, v in arrays.items() if n != "inventory_no"})),
)  # fmt: skip
