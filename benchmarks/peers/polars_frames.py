"""The job in Polars: `python -m benchmarks.peers.polars_frames INPUT OUT`.

As in SQL: cells of few distinct values are checked as distinct values, the others by one expression a line and, where that does
not pass, rule by rule. Amounts are whole numbers of 0.00001, for Polars rounds products of decimals.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
from polars import col

from benchmarks.peers import rules
from benchmarks.peers.book import (
    APPLICATION_KEY,
    BODY_KEY,
    FIRST_PERIOD,
    GOODS,
    HEADER_KEY,
    HEADS,
    IDENTIFIERS,
    ITEMS_PER_DECLARATION,
    ITEMS_PER_INVENTORY,
    LINE_AMOUNTS,
    PERIOD,
    RUN_REF,
    SINGLE,
    UNIT_OF,
    fill_ledger,
    rows_too_long,
)  # fmt: skip

FINDING = {"row": pl.UInt32, "code": pl.String, "field": pl.String, "value": pl.String}
UNIT = 100_000
SUMMED_HEADERS = ("package_count", "gross_weight_kg", "net_weight_kg")


def units(name: str) -> pl.Expr:
    """An amount as a whole number of 0.00001; null where it is no decimal. Shapes are checked before."""
    return col(name).cast(pl.Decimal(18, 5), strict=False).to_physical().cast(pl.Int64).alias(name)


def written(name: str, decimals: int = 5) -> pl.Expr:
    """A whole number of the smallest unit as plain decimal text."""
    one = 10**decimals
    digits = (col(name) % one).cast(pl.String).str.zfill(decimals)
    return pl.concat_str((col(name) // one).cast(pl.String), pl.lit("."), digits).alias(name)


def reference() -> pl.Expr:
    return pl.concat_str(pl.lit(f"{RUN_REF}-"), col("declaration").cast(pl.String).str.zfill(6)).alias("declaration_ref")


def cleared_at() -> pl.Expr:
    dashed = col("cleared_at").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    plain = col("cleared_at").str.head(14).str.to_datetime("%Y%m%d%H%M%S", strict=False)
    return pl.when(col("status_code") == "899").then(pl.coalesce(dashed, plain)).alias("cleared_at")


class Job:
    def __init__(self, source: Path, out: Path) -> None:
        self.source, self.out = source, out
        out.mkdir(parents=True)
        self.found: list[pl.DataFrame] = []

    def run(self) -> None:
        for step in (self.read, self.check_values, self.check_lines, self.group, self.check_inventories, self.tie_strays, self.decide,
                     self.merge, self.share_weights, self.find_shared, self.write, self.record):  # fmt: skip
            step()

    def add(self, code: str, field: str, frame: pl.DataFrame, value: str | None = None) -> None:
        """A finding on each row of a frame that has its `row`."""
        values = pl.lit("") if value is None else col(value)
        self.found.append(frame.select(col("row").cast(pl.UInt32), code=pl.lit(code), field=pl.lit(field), value=values.cast(pl.String)))

    @property
    def findings(self) -> pl.DataFrame:
        self.found = [pl.concat([pl.DataFrame(schema=FINDING), *self.found])]
        return self.found[0]

    # -------------------------------------------------------------------------------------------------------------- read

    def read(self) -> None:
        # With a quote inside an unquoted cell somewhere, Polars reads no file at all, unless quotes are nothing special.
        self.raw = pl.read_csv(self.source, quote_char=None, infer_schema=False, empty_string_is_null=False, truncate_ragged_lines=True, row_index_name="row")
        no_code = col("producer_seller_code") == "NO"
        heads = self.raw.select(HEADS).unique().with_columns(producer_name=pl.when(no_code).then(col("producer_seller_name")).otherwise(pl.lit("")))
        goods = self.raw.select(GOODS).unique().with_columns(
            item_name=pl.when(col("enterprise_goods_name") == "").then(col("goods_name")).otherwise(col("enterprise_goods_name"))
        )
        self.heads = self.numbered(heads, "head", HEADER_KEY, "hid")
        self.goods = self.numbered(goods, "goods", BODY_KEY, "bid")
        second = pl.when(col("second_statutory_quantity") == "").then(pl.lit("0")).otherwise(col("second_statutory_quantity"))
        numbers = pl.concat_str([second if name == "second_statutory_quantity" else col(name) for name in rules.DECIMALS], separator="|")
        counts = pl.concat_str("item_no", "package_count", separator="|")
        too_long = pl.any_horizontal(col(name).str.len_chars() > rules.LENGTHS[name] for name in SINGLE)
        suspect = (
            ~numbers.str.contains(r"^[0-9]+(?:\.[0-9]{1,5})?(?:\|[0-9]+(?:\.[0-9]{1,5})?)+$")
            | ~counts.str.contains(r"^[1-9][0-9]*\|[0-9]+$")
            | ~pl.concat_str(SINGLE, separator="|").str.contains("^[0-9]+E[0-9]+[0-9A-Za-z|_-]*$")
            | too_long
        )
        unit = pl.when(col("inventory_no") == "").then(pl.concat_str(pl.lit("row "), col("row").cast(pl.String))).otherwise(col("inventory_no"))
        self.lines = (
            self.raw.join(self.heads.select("head", "hid", *HEADS), on=HEADS, how="left", maintain_order="left")
            .join(self.goods.select("goods", "bid", *GOODS), on=GOODS, how="left", maintain_order="left")
            .select("row", "inventory_no", *IDENTIFIERS, "head", "hid", "goods", "bid", col("item_no").cast(pl.Int32, strict=False),
                    col("package_count").cast(pl.Int64, strict=False), *map(units, rules.DECIMALS), cleared_at(), unit=unit, suspect=suspect,
                    misread=col("row").is_in(rows_too_long(self.source)))
        )  # fmt: skip

    @staticmethod
    def numbered(distinct: pl.DataFrame, number: str, key: tuple[str, ...], rank: str) -> pl.DataFrame:
        keys = distinct.select(key).unique().sort(key).with_row_index(rank)
        return distinct.with_row_index(number).join(keys, on=key)

    # ------------------------------------------------------------------------------------------------------------- check

    def check_values(self) -> None:
        for table, number, columns in ((self.heads, "head", HEADS), (self.goods, "goods", GOODS)):
            for column in columns:
                for value in table[column].unique().to_list():
                    misread = "\0" in value or ('"' in value and column.endswith("_code"))
                    for code in ("F202",) if misread else rules.faults(column, value):
                        ids = table.filter(col(column) == value)[number]
                        self.add(code, column, self.lines.filter(col(number).is_in(ids.implode())).with_columns(value=pl.lit(value)), "value")
        self.add("F201", "", self.lines.filter("misread"))
        misread_rows = self.findings.filter(col("code") == "F202")["row"]
        self.lines = self.lines.with_columns(misread=col("misread") | col("row").is_in(misread_rows.implode()))
        gone = self.lines.filter("misread")["row"].implode()
        self.found = [self.findings.filter(col("code").str.starts_with("F") | ~col("row").is_in(gone))]

    def check_lines(self) -> None:
        zero = pl.any_horizontal(col(name) <= 0 for name in (*rules.POSITIVE, "net_weight_kg"))
        wanted = self.lines.filter((col("suspect") | zero.fill_null(False)) & ~col("misread"))["row"]
        columns = (*SINGLE, *rules.DECIMALS, *rules.COUNTS)
        found = [
            (row, code, column, value)
            for row, *values in self.raw.select("row", *columns)[wanted].iter_rows()
            for column, value in zip(columns, values, strict=True)
            for code in rules.faults(column, value)
        ]
        self.found.append(pl.DataFrame(found, schema=FINDING, orient="row"))
        unreadable = self.findings.filter(col("code") == "R103")
        self.lines = self.lines.with_columns(
            pl.when(col("row").is_in(unreadable.filter(col("field") == name)["row"].implode())).then(None).otherwise(col(name)).alias(name)
            for name in rules.DECIMALS
        )
        self.check_prices()
        read = self.lines.filter(~col("misread"))
        uncleared = self.heads.filter(col("status_code") == "899")["head"].implode()
        self.add("R118", "cleared_at", read.filter(col("head").is_in(uncleared) & col("cleared_at").is_null()))
        no_unit = self.goods.filter(col("second_statutory_unit_code") == "")["goods"].implode()
        self.add("R119", "second_statutory_quantity", read.filter(col("second_statutory_quantity").is_null() != col("goods").is_in(no_unit)))

    def check_prices(self) -> None:
        """In whole numbers of 10^-10: a line is looked at where its total is not the product."""
        quantity, price, total = (col(name) for name in ("declared_quantity", "unit_price", "total_price"))
        assert self.lines["declared_quantity"].max() * self.lines["unit_price"].max() < 1 << 62  # type: ignore[operator]
        off_by = (quantity * price - total * UNIT).abs().alias("off")
        wrong = self.lines.filter((quantity * price != total * UNIT) & ~col("misread")).with_columns(off_by)
        texts = self.raw.select("row", price_text="unit_price", total_text="total_price")[wrong["row"]]
        wrong = wrong.join(texts, on="row")

        def half_unit(name: str) -> pl.Expr:
            digits = pl.coalesce(col(name).str.extract(r"\.([0-9]*)$").str.len_chars(), 0)
            return digits.replace_strict({place: 10 ** (5 - place) for place in range(6)}, default=1).cast(pl.Int64)

        rounding = quantity * half_unit("price_text") // 2
        tolerated = pl.max_horizontal(pl.lit(UNIT * UNIT // 100), total * (UNIT // 1000), rounding)
        explained = rounding + half_unit("total_text") * UNIT // 2
        self.add("R120", "total_price", wrong.filter(col("off") > tolerated), "total_text")
        self.add("R205", "total_price", wrong.filter((col("off") <= tolerated) & (col("off") > explained)), "total_text")

    # ------------------------------------------------------------------------------------------------------- inventories

    def group(self) -> None:
        read = ~col("misread")
        both = [
            made
            for name in ("head", "hid", *SUMMED_HEADERS)
            for made in (col(name).filter(read).min(), col(name).filter(read).max().alias(f"max_{name}"))
        ]
        item = col("item_no").filter(read)
        self.inventories = (
            self.lines.group_by("unit")
            .agg(col("row").min(), *both, lines=pl.len(), read_lines=read.sum(), min_item=item.min(), max_item=item.max(),
                 items=item.n_unique(), item_missing=item.is_null().any(), cleared_at=col("cleared_at").filter(read).max(),
                 min_cleared_at=col("cleared_at").filter(read).min(), **{name: col(name).min() for name in IDENTIFIERS})
            .sort("unit").with_row_index("number")
        )  # fmt: skip

    def check_inventories(self) -> None:
        every = self.inventories.join(self.heads.select("head", mode="declaration_mode_code"), on="head", how="left").join(
            self.heads.select(max_head="head", max_mode="declaration_mode_code"), on="max_head", how="left"
        )
        differ = pl.any_horizontal(col(name) != col(f"max_{name}") for name in ("hid", *SUMMED_HEADERS)) | (col("mode") != col("max_mode"))
        gap = (col("items") != col("max_item")) | (col("min_item") != 1)
        for code, wrong in (
            ("I101", differ), ("I201", (col("head") != col("max_head")) & ~differ), ("I202", col("min_cleared_at") != col("cleared_at")),
            ("I105", col("max_net_weight_kg") > col("gross_weight_kg")), ("I106", col("package_count") < 1), ("I104", col("items") > ITEMS_PER_INVENTORY),
            ("I103", gap & ~col("item_missing") & (col("lines") == col("read_lines"))),
        ):  # fmt: skip
            self.add(code, "", every.filter(wrong))
        self.settle_repeats(every.filter((col("read_lines") != col("items")) & ~col("item_missing")))

    def settle_repeats(self, several: pl.DataFrame) -> None:
        """Of inventories whose item numbers stand more than once: equal lines collapse, others clash."""
        faulty = self.findings.filter(col("code").str.slice(1, 1) == "1")["row"].implode()
        twice = self.lines.filter(col("unit").is_in(several["unit"].implode()) & ~col("misread") & ~col("row").is_in(faulty)).with_columns(
            content=pl.struct("hid", *SUMMED_HEADERS, "goods", "unit_price", *LINE_AMOUNTS)
        )
        repeated = twice.filter(~pl.struct("unit", "item_no", "content").is_first_distinct())["row"].implode()
        self.lines = self.lines.with_columns(repeated=col("row").is_in(repeated))
        places = twice.group_by("unit", "item_no").agg(contents=col("content").n_unique(), times=pl.len())
        clash = places.filter(col("contents") > 1)["unit"].implode()
        copied = places.group_by("unit").agg(col("times").min(), most=col("times").max()).filter((col("times") > 1) & (col("times") == col("most")))
        clashing = self.inventories.filter(col("unit").is_in(clash))
        self.add("I102", "", clashing)
        self.add("B102", "", clashing.filter(col("unit").is_in(copied["unit"].implode())))

    def tie_strays(self) -> None:
        """An inventory that shares an identifier with a line of no inventory, or with one that lacks a line, may lack one too."""
        odd = self.lines.filter("suspect")["inventory_no"].unique().to_list()
        strays = self.lines.filter(col("inventory_no").is_in([number for number in odd if rules.is_stray(number)]))
        incomplete = self.inventories.filter(col("row").is_in(self.findings.filter(col("code") == "I103")["row"].implode()))
        for name in IDENTIFIERS:
            for doubtful in (strays, incomplete):
                shares = col(name).is_in(doubtful[name].implode()) & (col(name) != "") & ~col("unit").is_in(doubtful["unit"].implode())
                self.add("B104", "inventory_no", self.inventories.filter(shares))

    def decide(self) -> None:
        """Excluded over rejected over declared."""
        is_error = col("code").str.slice(1, 1).eq("1") | col("code").str.starts_with("F")
        wrong = (
            self.findings.filter(is_error).join(self.lines.select("row", "unit"), on="row").group_by("unit")
            .agg(codes=col("code").unique().sort().str.join(" "), undated=col("code").is_in(["R117", "R118"]).any())
        )  # fmt: skip
        month = col("cleared_at").dt.strftime("%Y%m")
        others = sorted(rules.code_list("trade_mode").codes - {"9610"})
        reasons = pl.concat_str(
            pl.when(col("trade_mode_code").is_in(others) & (col("hid") == col("max_hid"))).then(pl.lit("other_mode")),
            pl.when((col("declaration_mode_code") == "A") & (col("head") == col("max_head"))).then(pl.lit("simplified")),
            pl.when(col("cleared_at").is_null() & ~col("undated").fill_null(False) & (col("read_lines") > 0)).then(pl.lit("not_cleared")),
            pl.when(month > PERIOD).then(pl.lit("later_period")).when(month < FIRST_PERIOD).then(pl.lit("before_ledger")),
            separator=" ", ignore_nulls=True,
        )  # fmt: skip
        fate = pl.when(col("reasons") != "").then(pl.lit("excluded")).when(col("codes").is_not_null()).then(pl.lit("rejected")).otherwise(pl.lit("declared"))
        self.fates = (
            self.inventories.join(self.heads.select("head", "trade_mode_code", "declaration_mode_code"), on="head", how="left")
            .join(wrong, on="unit", how="left")
            .with_columns(reasons=reasons, cleared_period=month, late=(month < PERIOD).fill_null(False))
            .with_columns(fate=fate)
        )

    # ------------------------------------------------------------------------------------------------------------- merge

    def merge(self) -> None:
        self.lines = self.lines.join(self.fates.select("unit", "number", "fate", "late", "cleared_period"), on="unit", how="left", maintain_order="left")
        declared = self.lines.filter((col("fate") == "declared") & ~col("repeated"))
        rank = col("number").cast(pl.Int64) * 1000 + col("item_no")
        items = (
            declared.with_columns(rank=rank).group_by("hid", "bid")
            .agg(*(col(name).sum() for name in LINE_AMOUNTS), has_second=col("second_statutory_quantity").is_not_null().any(),
                 inventory_item_count=pl.len(), first_line=col("rank").min(), goods=col("goods").sort_by("rank").first(),
                 head=col("head").sort_by("rank").first())
            .sort("hid", "bid").with_columns(place=pl.int_range(pl.len()).over("hid"))
        )  # fmt: skip
        part = pl.struct("hid", col("place") // ITEMS_PER_DECLARATION)
        self.items = items.with_columns(declaration=part.rle_id() + 1, declaration_item_no=col("place") % ITEMS_PER_DECLARATION + 1)
        of_key = self.items.select("hid", "bid", "declaration", "declaration_item_no")
        self.placed = declared.join(of_key, on=["hid", "bid"], how="left", maintain_order="left").with_columns(reference())

    def share_weights(self) -> None:
        """Where an inventory is spread, net weight and tare go to its lines by the largest remainder at 0.00001 kg."""
        self.spread = self.placed.group_by("number").agg(
            low=col("declaration").min(), high=col("declaration").max(), gross=col("gross_weight_kg").first(), net=col("net_weight_kg").first(),
            packages=col("package_count").first(), first_declaration=col("declaration").sort_by("item_no").first(),
        )  # fmt: skip
        over = self.spread.filter(col("low") != col("high")).with_columns(tare=col("gross") - col("net"))
        in_kg = (col("statutory_unit_code") == "035").all().over("number")
        one_currency = (col("currency_code").n_unique() == 1).over("number")
        key = pl.when(in_kg).then(col("statutory_quantity")).when(one_currency).then(col("total_price")).otherwise(1)
        lines = (
            self.placed.select("number", "item_no", "declaration", "goods", "statutory_quantity", "total_price").join(over, on="number")
            .join(self.goods.select("goods", "statutory_unit_code", "currency_code"), on="goods")
            .with_columns(key=key).with_columns(whole=col("key").sum().over("number")).sort("number", "item_no")
        )  # fmt: skip
        assert lines.is_empty() or lines["gross"].max() * lines["key"].max() < 1 << 62  # type: ignore[operator]
        for name in ("net", "tare"):
            product = col(name) * col("key")
            lines = lines.with_columns(part=product // col("whole"), rest=product % col("whole"))
            left = col(name) - col("part").sum().over("number")
            rank = (-col("rest")).rank("ordinal").over("number")
            lines = lines.with_columns((col("part") + (rank <= left).cast(pl.Int64)).alias(f"{name}_part"))
        several = lines.group_by("number", "declaration").agg(gross=(col("net_part") + col("tare_part")).sum(), net=col("net_part").sum())
        whole = self.spread.filter(col("low") == col("high")).select("number", declaration="low", gross="gross", net="net")
        self.several, self.shares = several, pl.concat([several, whole.select(several.columns)])

    def find_shared(self) -> None:
        for code, name in (("B201", "order_no"), ("B202", "waybill_no")):
            spoiled = self.findings.filter((col("code") == "R206") & (col("field") == name))["value"].implode()
            given = self.fates.filter((col(name) != "") & ~col(name).is_in(spoiled))
            self.add(code, name, given.filter(col(name).is_duplicated()).filter(col("fate") != "excluded"), name)
        used = self.heads.filter(col("head").is_in(self.placed["head"].unique().implode()))
        for code, name, other in (("B204", "consignor_code", "consignor_name"), ("B205", "consignor_name", "consignor_code")):
            several = used.group_by(name).agg(col(other).n_unique()).filter(col(other) > 1)
            self.add(code, other, several.with_columns(row=pl.lit(None)), name)
        pairs = self.items.join(self.goods, on="goods").group_by("declaration", "commodity_code").agg(
            pairs=pl.struct("declared_unit_code", "statutory_unit_code").n_unique()
        )
        self.add("B203", "declared_unit_code", pairs.filter(col("pairs") > 1).with_columns(row=pl.lit(None)), "commodity_code")

    # ------------------------------------------------------------------------------------------------------------- write

    def write(self) -> None:
        weights = self.shares.group_by("declaration").agg(inventory_count=pl.len(), gross_weight_kg=col("gross").sum(), net_weight_kg=col("net").sum())
        packages = self.spread.group_by(declaration="first_declaration").agg(package_count=col("packages").sum())
        self.declarations = (
            self.items.group_by("declaration").agg(col("head").sort_by("first_line").first(), item_count=pl.len(), inventory_item_count=col("inventory_item_count").sum())
            .join(self.heads, on="head").join(weights, on="declaration").join(packages, on="declaration", how="left").sort("declaration")
            .with_columns(reference(), col("package_count").fill_null(0), written("gross_weight_kg"), written("net_weight_kg"))
        )  # fmt: skip
        names = [name for name in HEADER_KEY if name != "producer_name"]
        counts = ["item_count", "inventory_count", "inventory_item_count", "package_count", "gross_weight_kg", "net_weight_kg"]
        self.csv(self.declarations.select("declaration_ref", *names, "consignor_name", "producer_seller_name", *counts), "declarations")
        self.write_items()
        decimals = [col(name).cast(pl.Decimal(38, 0)).mul(pl.lit("0.00001").cast(pl.Decimal(38, 5))).alias(name) for name in (*rules.DECIMALS,)]
        self.placed.join(self.heads, on="head", how="left", maintain_order="left").join(self.goods, on="goods", how="left", maintain_order="left").select(
            "inventory_no", "item_no", "declaration_ref", "declaration_item_no", "order_no", "waybill_no", "late", pl.lit(str(self.source)).alias("source_file"),
            (col("row") + 2).alias("source_row"), *HEADS, *GOODS, *decimals, "package_count",
        ).write_parquet(self.out / "audit_map.parquet", compression="zstd", row_group_size=131_072)  # fmt: skip
        several = self.several.join(self.inventories.select("number", inventory_no="unit"), on="number").with_columns(reference())
        shares = several.select("inventory_no", "declaration_ref", gross_weight_kg="gross", net_weight_kg="net").sort("inventory_no", "declaration_ref")
        self.csv(shares.with_columns(written("gross_weight_kg"), written("net_weight_kg")), "weight_shares")
        excluded = self.fates.filter(col("fate") == "excluded").sort("row").with_columns(reason=col("reasons").str.split(" ")).explode("reason")
        self.csv(excluded.select("unit", "reason", "lines", "cleared_at", col("row") + 2), "excluded")
        placed = self.findings.join(self.lines.select("row", "inventory_no", "item_no", "fate"), on="row", how="left")
        self.csv(placed.filter(col("fate").ne_missing("excluded")).sort("row", "code"), "findings")
        codes = self.lines.filter(col("fate") == "rejected").select("row", "unit").join(self.fates.select("unit", "codes"), on="unit", how="left", maintain_order="left")
        self.csv(self.raw[codes["row"]].drop("row").with_columns(codes["codes"]), "rejected")
        self.write_totals()

    def write_items(self) -> None:
        # Half to even by hand: twice the quotient, and whether anything is left.
        product = col("total_price").cast(pl.Int128) * 20_000
        items = self.items.with_columns(twice=product // col("declared_quantity"), rest=product % col("declared_quantity"))
        up = (col("twice") % 2 == 1) & ((col("rest") > 0) | (col("twice") // 2 % 2 == 1))
        items = items.with_columns(unit_price=(col("twice") // 2 + up.cast(pl.Int128)).cast(pl.Int64)).join(self.goods, on="goods").sort("declaration", "declaration_item_no")
        second = pl.when("has_second").then(written("second_statutory_quantity")).alias("second_statutory_quantity")
        self.csv(items.select(
            reference(), "declaration_item_no", "commodity_code", col("item_name").alias("goods_name"), "goods_spec", "destination_country_code",
            "currency_code", written("declared_quantity"), "declared_unit_code", written("statutory_quantity"), "statutory_unit_code", second,
            "second_statutory_unit_code", written("unit_price", 4), written("total_price"), "inventory_item_count",
        ), "declaration_items")  # fmt: skip

    def csv(self, frame: pl.DataFrame, name: str) -> None:
        frame.write_csv(self.out / f"{name}.csv", include_bom=True)

    def write_totals(self) -> None:
        bucket = pl.when(col("repeated") & (col("fate") != "excluded")).then(pl.lit("excluded")).otherwise(col("fate"))
        fated = self.lines.with_columns(bucket=bucket)
        priced = fated.filter(~col("misread")).join(self.goods.select("goods", *UNIT_OF.values()), on="goods")
        parts = [
            priced.filter(col(name) >= 0).select(pl.lit(name).alias("field"), unit=col(unit), bucket="bucket", amount=name) for name, unit in UNIT_OF.items()
        ]
        several = fated.join(self.fates.select("unit", *(col(name).alias(f"min_{name}") for name in SUMMED_HEADERS)), on="unit")
        for name in SUMMED_HEADERS:
            # Once an inventory and distinct value, though they stand on every line.
            factor, unit = (UNIT, "") if name == "package_count" else (1, "kg")
            more = several.filter((col(name) != col(f"min_{name}")) & ~col("misread")).unique(["unit", name])
            for frame, fate in ((self.fates, "fate"), (more, "bucket")):
                parts.append(frame.filter(col(name) >= 0).select(pl.lit(name).alias("field"), unit=pl.lit(unit), bucket=fate, amount=col(name) * factor))
        parts.append(fated.select(pl.lit("lines").alias("field"), unit=pl.lit(""), bucket="bucket", amount=pl.lit(UNIT, pl.Int64)))
        named = self.fates.filter(~col("unit").str.starts_with("row "))
        parts.append(named.select(pl.lit("inventories").alias("field"), unit=pl.lit(""), bucket="fate", amount=pl.lit(UNIT, pl.Int64)))
        sums = pl.concat([part.group_by("field", "unit", "bucket").agg(col("amount").sum()) for part in parts])
        amounts = {name: col("amount").filter(col("bucket") == name).sum() for name in ("declared", "rejected", "excluded")}
        totals = sums.group_by("field", "unit").agg(read=col("amount").sum(), **amounts).sort("field", "unit")
        assert totals.filter(col("read") != col("declared") + col("rejected") + col("excluded")).is_empty()
        self.csv(totals.with_columns(map(written, ("read", "declared", "rejected", "excluded"))), "control_totals")

    def record(self) -> None:
        keys = self.declarations.select(APPLICATION_KEY).unique().sort(APPLICATION_KEY).with_row_index("application_no", 1)
        declarations = self.declarations.join(keys, on=APPLICATION_KEY, maintain_order="left")
        content = pl.concat_str("item_no", "goods", "unit_price", *(col(name).fill_null(-1) for name in LINE_AMOUNTS), separator="\x1f")
        place = pl.concat_str("declaration", pl.lit("/"), "declaration_item_no")
        head = pl.concat_str("hid", "gross_weight_kg", "net_weight_kg", "package_count", separator="\x1f")
        inventories = (
            self.placed.sort("number", "item_no").select("number", "unit", "cleared_period", "late", "declaration", content=content, place=place, header=head)
            .group_by("number", maintain_order=True)
            .agg(col("unit", "cleared_period", "late", "declaration", "header").first(), col("content").str.join("\x1e"), items=col("place").str.join(" "))
            .join(declarations.select("declaration", "application_no"), on="declaration", how="left", maintain_order="left")
            .with_columns(content=pl.concat_str("header", "content", separator="\x1e"))
        )  # fmt: skip
        waiting = self.fates.filter((col("fate") != "declared") & ~col("unit").str.starts_with("row ")).select(
            "unit", col("cleared_period").fill_null(""), "fate", pl.when(col("fate") == "rejected").then(col("codes")).otherwise(col("reasons"))
        )
        fill_ledger(
            self.out / "ledger.sqlite", hashed(inventories), waiting.iter_rows(),
            declarations.select("declaration_ref", "application_no", "item_count", "inventory_count").iter_rows(),
            keys.select("application_no", col("application_no").alias("again"), *APPLICATION_KEY).iter_rows(),
        )  # fmt: skip


def hashed(inventories: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Polars has no SHA-256."""
    columns = inventories.select("unit", "content", "application_no", "items", "cleared_period", "late")
    for number, content, *rest in columns.iter_rows():
        yield (number, sha256(content.encode()).digest(), *rest)


if __name__ == "__main__":
    Job(Path(sys.argv[1]), Path(sys.argv[2])).run()
