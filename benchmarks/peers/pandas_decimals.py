"""The job in plain pandas with Decimal objects, as most would begin: `python -m benchmarks.peers.pandas_decimals INPUT OUT`.

It fills no ledger: its users have none. Rules run on distinct values of each column.
"""

from __future__ import annotations

import csv
import sys
from contextlib import suppress
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from pathlib import Path

import pandas as pd

from benchmarks.peers import rules
from benchmarks.peers.book import (
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
    rows_too_long,
)  # fmt: skip

KEY = [*HEADER_KEY, *BODY_KEY]
SUMMED_HEADERS = ["package_count", "gross_weight_kg", "net_weight_kg"]
UNIT, CENT, THOUSANDTH = Decimal("0.00001"), Decimal("0.01"), Decimal("0.001")


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if rules.is_decimal(text) else None


def moment_of(text: str) -> str:
    for shape in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"):
        with suppress(ValueError):
            return datetime.strptime(text, shape).strftime("%Y%m%d%H%M%S")  # noqa: DTZ007 - only its digits are wanted
    return ""


class Job:
    def __init__(self, source: Path, out: Path) -> None:
        self.source, self.out = source, out
        out.mkdir(parents=True)
        self.found: list[tuple[int, str]] = []

    def run(self) -> None:
        self.read()
        self.check()
        self.check_inventories()
        self.decide()
        self.merge()
        self.share_weights()
        self.write()

    def read(self) -> None:
        self.misread = set(rows_too_long(self.source))
        lines = pd.read_csv(self.source, dtype=object, keep_default_na=False, skiprows=[row + 1 for row in self.misread], index_col=False)
        self.read_columns = list(lines.columns)
        if self.misread:
            # pandas refuses a file with rows too long, or drops them: they are read apart and put in their places.
            with self.source.open(encoding="utf-8", newline="") as file:
                long = [line for row, line in enumerate(file, -1) if row in self.misread]
            cells = [row[: len(self.read_columns)] for row in csv.reader(long)]
            lines.index = pd.Index([row for row in range(len(lines) + len(cells)) if row not in self.misread])
            lines = pd.concat([lines, pd.DataFrame(cells, index=sorted(self.misread), columns=self.read_columns)]).sort_index()
        lines["row"] = lines.index
        self.lines = lines
        codes = [column for column in HEADS if column.endswith("_code")]
        for column in codes:
            self.misread |= set(lines.index[lines[column].str.contains('["\0]')])
        self.found += [(row, "F201") for row in self.misread]
        lines["unit"] = lines["inventory_no"].where(lines["inventory_no"] != "", "row " + lines["row"].astype(str))
        lines["producer_name"] = lines["producer_seller_name"].where(lines["producer_seller_code"] == "NO", "")
        lines["item_name"] = lines["enterprise_goods_name"].where(lines["enterprise_goods_name"] != "", lines["goods_name"])
        self.sound = ~lines["row"].isin(self.misread)

    def check(self) -> None:
        lines = self.lines
        for column in (*HEADS, *GOODS, *SINGLE, *rules.DECIMALS, *rules.COUNTS):
            codes = {value: found for value in lines[column].unique() if (found := rules.faults(column, value))}
            faulty = lines.loc[lines[column].isin(codes) & self.sound, ["row", column]]
            self.found += [(row, code) for row, value in zip(faulty["row"], faulty[column], strict=True) for code in codes[value]]
        decimals_of = {}
        for column in ("unit_price", "total_price"):
            decimals_of[column] = lines[column].str.partition(".")[2].str.len()
        for column in rules.DECIMALS:
            lines[column] = lines[column].map({value: decimal(value) for value in lines[column].unique()}).astype(object)
        for column in rules.COUNTS:
            lines[column] = pd.to_numeric(lines[column], errors="coerce").where(lines[column].str.fullmatch("[0-9]+"))
        given = lines[["declared_quantity", "unit_price", "total_price"]].notna().all(axis=1) & self.sound
        with localcontext(Context(prec=60)):
            amounts = lines.loc[given]
            off = (amounts["declared_quantity"] * amounts["unit_price"] - amounts["total_price"]).abs()
            for row, by in off[off != 0].items():
                quantity, total = lines.at[row, "declared_quantity"], lines.at[row, "total_price"]
                half = [Decimal(5).scaleb(-int(decimals_of[column][row]) - 1) for column in decimals_of]
                if by > max(CENT, total * THOUSANDTH, quantity * half[0]):
                    self.found.append((int(row), "R120"))
                elif by > quantity * half[0] + half[1]:
                    self.found.append((int(row), "R205"))
        cleared = {value: moment_of(value) for value in lines["cleared_at"].unique()}
        lines["cleared"] = lines["cleared_at"].map(cleared).where(lines["status_code"] == "899", "")
        self.mark("R118", (lines["status_code"] == "899") & (lines["cleared"] == ""))
        self.mark("R119", lines["second_statutory_quantity"].isna() != (lines["second_statutory_unit_code"] == ""))

    def mark(self, code: str, mask: pd.Series) -> None:
        self.found += [(row, code) for row in self.lines.loc[mask & self.sound, "row"]]

    def check_inventories(self) -> None:
        read = self.lines[self.sound]
        groups = read.groupby("unit", sort=False)
        firsts = groups["row"].min()
        all_lines = self.lines.groupby("unit", sort=False).size()

        def add(code: str, units: pd.Index) -> None:
            self.found += [(row, code) for row in firsts[firsts.index.isin(units)]]

        def differing(columns: list[str]) -> pd.Index:
            distinct = read.drop_duplicates(["unit", *columns])["unit"].value_counts()
            return distinct.index[distinct > 1]

        keyed = differing([*HEADER_KEY, "declaration_mode_code", *SUMMED_HEADERS])
        add("I101", keyed)
        add("I201", differing(list(HEADS)).difference(keyed))
        cleared = read[read["cleared"] != ""].drop_duplicates(["unit", "cleared"])["unit"].value_counts()
        add("I202", cleared.index[cleared > 1])
        over = read["net_weight_kg"].notna() & read["gross_weight_kg"].notna()
        add("I105", read.loc[over].loc[lambda each: each["net_weight_kg"] > each["gross_weight_kg"], "unit"])
        add("I106", read.loc[read["package_count"] < 1, "unit"])
        items = groups["item_no"].agg(["nunique", "min", "max", "count", "size"])
        add("I104", items.index[items["nunique"] > ITEMS_PER_INVENTORY])
        gap = ((items["nunique"] != items["max"]) | (items["min"] != 1)) & (items["count"] == items["size"])
        self.incomplete = items.index[gap & (all_lines.reindex(items.index) == items["size"])]
        add("I103", self.incomplete)
        self.settle_repeats(read[read["unit"].isin(items.index[(items["size"] != items["nunique"]) & (items["count"] == items["size"])])], add)
        self.tie_strays(add)

    def settle_repeats(self, several: pd.DataFrame, add) -> None:  # type: ignore[no-untyped-def]
        faulty = {row for row, code in self.found if code[1] == "1"}
        twice = several[~several["row"].isin(faulty)]
        content = ["unit", "item_no", *KEY, "goods_name", "goods_spec", "unit_price", *SUMMED_HEADERS, *LINE_AMOUNTS]
        self.lines["repeated"] = self.lines["row"].isin(twice.loc[twice.duplicated(content), "row"])
        places = twice.drop_duplicates(content).groupby(["unit", "item_no"]).size()
        clash = places[places > 1].index.get_level_values("unit").unique()
        times = twice.groupby(["unit", "item_no"]).size().groupby("unit").agg(["min", "max"])
        add("I102", clash)
        add("B102", clash.intersection(times.index[(times["min"] == times["max"]) & (times["min"] > 1)]))

    def tie_strays(self, add) -> None:  # type: ignore[no-untyped-def]
        lines = self.lines
        strays = {number for number in lines["inventory_no"].unique() if rules.is_stray(number)}
        for doubtful in (lines[lines["inventory_no"].isin(strays)], lines[lines["unit"].isin(self.incomplete)]):
            for name in IDENTIFIERS:
                shares = lines[name].isin(set(doubtful[name]) - {""}) & ~lines["unit"].isin(doubtful["unit"])
                add("B104", lines.loc[shares, "unit"].unique())

    def decide(self) -> None:
        lines, found = self.lines, pd.DataFrame(self.found, columns=["row", "code"])
        found["unit"] = lines["unit"].to_numpy()[found["row"]]
        errors = found[[rules.is_error(code) for code in found["code"]]]
        undated = set(errors.loc[errors["code"].isin(["R117", "R118"]), "unit"])
        read = lines[self.sound]
        fates = lines.groupby("unit", sort=True).agg(row=("row", "min"), lines=("row", "size"), cleared=("cleared", "max"))
        period = fates["cleared"].str[:6]
        other_modes = rules.code_list("trade_mode").codes - {"9610"}
        several = read.drop_duplicates(["unit", "trade_mode_code", "declaration_mode_code"])
        one = several.drop_duplicates("unit", keep=False).set_index("unit").reindex(fates.index)
        reasons = {
            "other_mode": one["trade_mode_code"].isin(other_modes), "simplified": one["declaration_mode_code"] == "A",
            "not_cleared": (fates["cleared"] == "") & ~fates.index.isin(undated) & fates.index.isin(read["unit"]),
            "later_period": period > PERIOD, "before_ledger": (period != "") & (period < FIRST_PERIOD),
        }  # fmt: skip
        fates["reasons"] = ""
        for reason, mask in reasons.items():
            fates.loc[mask, "reasons"] += f" {reason}"
        fates["fate"] = "declared"
        fates.loc[fates.index.isin(errors["unit"]), "fate"] = "rejected"
        fates.loc[fates["reasons"] != "", "fate"] = "excluded"
        fates["late"] = (period < PERIOD) & (fates["fate"] == "declared")
        fates["number"] = range(len(fates))
        self.fates, self.findings = fates, found
        for column in ("fate", "late", "number"):
            lines[column] = lines["unit"].map(fates[column])
        self.codes = errors.groupby("unit")["code"].agg(lambda codes: " ".join(sorted(set(codes))))

    def merge(self) -> None:
        lines = self.lines
        declared = lines[(lines["fate"] == "declared") & ~lines["repeated"]].sort_values(["number", "item_no"])
        declared = declared.assign(second_given=declared["second_statutory_quantity"].notna())
        declared["second_statutory_quantity"] = declared["second_statutory_quantity"].fillna(Decimal(0))
        groups = declared.groupby(KEY, sort=True)
        items = groups[list(LINE_AMOUNTS)].sum()
        firsts = groups.agg(
            goods_spec=("goods_spec", "first"), consignor_name=("consignor_name", "first"), firm=("producer_seller_name", "first"),
            second_given=("second_given", "any"), inventory_item_count=("row", "size"), number=("number", "first"),
        )  # fmt: skip
        items = items.join(firsts).reset_index()
        place = items.groupby(list(HEADER_KEY), sort=False).cumcount()
        items["declaration_item_no"] = place % ITEMS_PER_DECLARATION + 1
        items["declaration"] = (items["declaration_item_no"] == 1).cumsum()
        items["declaration_ref"] = RUN_REF + "-" + items["declaration"].astype(str).str.zfill(6)
        group = groups.ngroup()
        for column in ("declaration", "declaration_item_no", "declaration_ref"):
            declared[column] = items[column].to_numpy()[group]
        self.items, self.declared = items, declared

    def share_weights(self) -> None:
        """Where an inventory is spread, net weight and tare go to its lines by the largest remainder at 0.00001 kg."""
        groups = self.declared.groupby("number", sort=False)
        heads = groups.agg(low=("declaration", "min"), high=("declaration", "max"), first=("declaration", "first"),
                           gross=("gross_weight_kg", "first"), net=("net_weight_kg", "first"), packages=("package_count", "first"))  # fmt: skip
        whole = heads[heads["low"] == heads["high"]]
        shares = [whole.reset_index()[["number", "low", "gross", "net"]].rename(columns={"low": "declaration"})]
        spread = heads[heads["low"] != heads["high"]]
        several = []
        for number, lines in self.declared[self.declared["number"].isin(spread.index)].groupby("number", sort=False):
            head = spread.loc[number]
            key = [1] * len(lines)
            if (lines["statutory_unit_code"] == "035").all():
                key = [int(value / UNIT) for value in lines["statutory_quantity"]]
            elif lines["currency_code"].nunique() == 1:
                key = [int(value / UNIT) for value in lines["total_price"]]
            net, tare = largest_remainder(head["net"], key), largest_remainder(head["gross"] - head["net"], key)
            several += [(number, place, n + t, n) for place, n, t in zip(lines["declaration"], net, tare, strict=True)]
        over = pd.DataFrame(several, columns=["number", "declaration", "gross", "net"])
        self.several = over.groupby(["number", "declaration"], as_index=False)[["gross", "net"]].sum()
        self.shares, self.heads = pd.concat([*shares, self.several]), heads

    def write(self) -> None:
        weights = self.shares.groupby("declaration").agg(inventory_count=("number", "size"), gross_weight_kg=("gross", "sum"), net_weight_kg=("net", "sum"))
        packages = self.heads.groupby("first")["packages"].sum().astype(int)
        first_items = self.items.sort_values("number").drop_duplicates("declaration").set_index("declaration").sort_index()
        counts = self.items.groupby("declaration").agg(item_count=("number", "size"), inventory_item_count=("inventory_item_count", "sum"))
        declarations = first_items[["declaration_ref", *HEADER_KEY, "consignor_name", "firm"]].drop(columns="producer_name")
        declarations = declarations.rename(columns={"firm": "producer_seller_name"}).join(counts).join(weights)
        declarations["package_count"] = packages.reindex(declarations.index).fillna(0).astype(int)
        self.csv(declarations, "declarations")
        items = self.items.rename(columns={"item_name": "goods_name"})
        exact = Context(prec=60)
        items["unit_price"] = [
            exact.divide(total, quantity).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
            for total, quantity in zip(items["total_price"], items["declared_quantity"], strict=True)
        ]
        items["second_statutory_quantity"] = items["second_statutory_quantity"].where(items["second_given"], None)
        names = ["declaration_ref", "declaration_item_no", "commodity_code", "goods_name", "goods_spec", "destination_country_code", "currency_code", "unit_price"]
        self.csv(items[[*names, *LINE_AMOUNTS, "declared_unit_code", "statutory_unit_code", "second_statutory_unit_code", "inventory_item_count"]], "declaration_items")
        audit = self.declared.sort_values("row").assign(source_file=str(self.source), source_row=lambda each: each["row"] + 2)
        audit["item_no"] = audit["item_no"].astype("int32")
        names = ["inventory_no", "item_no", "declaration_ref", "declaration_item_no", "order_no", "waybill_no", "late", "source_file", "source_row"]
        audit[[*names, *HEADS, *GOODS, *rules.DECIMALS]].to_parquet(self.out / "audit_map.parquet", compression="zstd")
        unit_of = pd.Series(self.fates.index, index=self.fates["number"])
        shares = self.several.assign(inventory_no=self.several["number"].map(unit_of), declaration_ref=RUN_REF + "-" + self.several["declaration"].astype(str).str.zfill(6))
        shares = shares.rename(columns={"gross": "gross_weight_kg", "net": "net_weight_kg"}).sort_values(["inventory_no", "declaration_ref"])
        self.csv(shares[["inventory_no", "declaration_ref", "gross_weight_kg", "net_weight_kg"]], "weight_shares")
        self.csv(self.fates[self.fates["fate"] == "excluded"].reset_index().sort_values("row"), "excluded")
        fate = self.findings["unit"].map(self.fates["fate"])
        self.csv(self.findings[fate != "excluded"].sort_values(["row", "code"]), "findings")
        rejected = self.lines[self.lines["fate"] == "rejected"]
        self.csv(rejected[self.read_columns].assign(reject_codes=rejected["unit"].map(self.codes)), "rejected")
        self.write_totals()

    def csv(self, frame: pd.DataFrame, name: str) -> None:
        frame.to_csv(self.out / f"{name}.csv", index=False, encoding="utf-8-sig")

    def write_totals(self) -> None:
        lines = self.lines
        bucket = lines["fate"].mask(lines["repeated"] & (lines["fate"] != "excluded"), "excluded")
        lines = lines.assign(bucket=bucket, kg="kg", none="", one=1)
        parts = []
        for column, unit in UNIT_OF.items():
            parts.append((column, lines[lines[column].notna() & self.sound].rename(columns={unit: "unit_or_currency"})))
        for column in SUMMED_HEADERS:
            once = lines[lines[column].notna() & self.sound].drop_duplicates(["unit", column])
            once = once.assign(bucket=once["fate"]).rename(columns={"none" if column == "package_count" else "kg": "unit_or_currency"})
            parts.append((column, once[once[column] >= 0]))
        totals = []
        for column, part in parts:
            sums = part[part[column] >= 0].groupby(["unit_or_currency", "bucket"])[column].sum().unstack()
            totals += [(column, unit, row) for unit, row in sums.iterrows()]
        totals.append(("lines", "", bucket.value_counts()))
        named = self.fates[~self.fates.index.str.startswith("row ")]
        totals.append(("inventories", "", named["fate"].value_counts()))
        rows = []
        for column, unit, row in totals:
            amounts = [Decimal(0) if pd.isna(row.get(name)) else Decimal(str(row.get(name))) for name in ("declared", "rejected", "excluded")]
            rows.append((column, unit, sum(amounts), *amounts))
        frame = pd.DataFrame(rows, columns=["column", "currency_or_unit", "read", "declared", "rejected", "excluded"])
        self.csv(frame.sort_values(["column", "currency_or_unit"]), "control_totals")


def largest_remainder(amount: Decimal, key: list[int]) -> list[Decimal]:
    """An amount apportioned by `key`; what rounding down leaves goes to the largest remainders, ties to the earlier."""
    units, whole = int(amount / UNIT), sum(key)
    parts = [divmod(units * each, whole) for each in key]
    left = units - sum(part for part, _ in parts)
    order = sorted(range(len(key)), key=lambda place: -parts[place][1])
    more = set(order[:left])
    return [(part + (place in more)) * UNIT for place, (part, _) in enumerate(parts)]


if __name__ == "__main__":
    Job(Path(sys.argv[1]), Path(sys.argv[2])).run()
