"""The job in DuckDB: `python -m benchmarks.peers.duckdb_sql INPUT OUT`.

Cells of few distinct values are checked as distinct values; the others by one expression a line that passes what is plainly
sound, and by the rules one by one where it does not. Lines refer to their header and their goods by number.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pyarrow as pa

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
)  # fmt: skip

D = "DECIMAL(18,5)"
NUMBERS = (*rules.DECIMALS, *rules.COUNTS)
CLEARED = "coalesce(TRY_CAST(cleared_at AS TIMESTAMP), try_strptime(left(cleared_at, 14), '%Y%m%d%H%M%S'))"


class Job:
    def __init__(self, source: Path, out: Path) -> None:
        self.source, self.out = source, out
        out.mkdir(parents=True)
        self.sql = duckdb.connect()
        self.sql.execute(f"SET temp_directory = '{out}/spill'")

    def run(self) -> None:
        for step in (self.read, self.check_values, self.check_lines, self.group, self.check_inventories, self.tie_strays, self.decide,
                     self.merge, self.share_weights, self.find_shared, self.write, self.record):  # fmt: skip
            step()

    def do(self, statement: str) -> None:
        self.sql.execute(statement)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.sql.execute(query).fetchall()

    def add_findings(self, found: list[tuple[object, ...]]) -> None:
        """Rows of: row, code, column, value."""
        if found:
            names = ("row", "code", "field", "value")
            table = pa.table({name: pa.array(values) for name, values in zip(names, zip(*found, strict=True), strict=True)})
            self.sql.register("found", table)
            self.do("INSERT INTO finding SELECT * FROM found")
            self.sql.unregister("found")

    # -------------------------------------------------------------------------------------------------------------- read

    def read(self) -> None:
        names = self.source.open(encoding="utf-8").readline().strip().split(",")
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in (*names, "beyond"))
        # A cell beyond the headings is null where the row has none: blank cells are kept as blank text.
        self.do(f"""CREATE TABLE raw AS FROM read_csv('{self.source}', auto_detect=false, header=true, delim=',', quote='"', escape='"',
            new_line='\\n', null_padding=true, nullstr='\\N', columns={{{columns}}})""")
        heads, goods = ", ".join(HEADS), ", ".join(GOODS)
        self.do(f"CREATE TABLE distinct_head AS SELECT row_number() OVER () AS head, * FROM (SELECT DISTINCT {heads} FROM raw)")
        self.do(f"CREATE TABLE distinct_goods AS SELECT row_number() OVER () AS goods, * FROM (SELECT DISTINCT {goods} FROM raw)")
        key, body = ", ".join(HEADER_KEY), ", ".join(BODY_KEY)
        self.do(f"""CREATE TABLE head AS SELECT *, dense_rank() OVER (ORDER BY {key}) AS hid FROM (SELECT *,
            CASE WHEN producer_seller_code = 'NO' THEN producer_seller_name ELSE '' END AS producer_name FROM distinct_head)""")
        self.do(f"""CREATE TABLE goods AS SELECT *, dense_rank() OVER (ORDER BY {body}) AS bid FROM (SELECT *,
            coalesce(nullif(enterprise_goods_name, ''), goods_name) AS item_name FROM distinct_goods)""")
        amounts = ", ".join(f"TRY_CAST({name} AS {D}) AS {name}" for name in rules.DECIMALS)
        numbers = ", '|', ".join(f"coalesce(nullif({name}, ''), '0')" if name == "second_statutory_quantity" else name for name in rules.DECIMALS)
        length = " OR ".join(f"length({name}) > {rules.LENGTHS[name]}" for name in SINGLE)
        self.do(f"""CREATE TABLE line AS SELECT raw.rowid AS row, inventory_no,
            CASE WHEN inventory_no = '' THEN 'row ' || raw.rowid ELSE inventory_no END AS unit,
            order_no, waybill_no, internal_no, head.head, goods.goods, head.hid, goods.bid,
            TRY_CAST(item_no AS INTEGER) AS item_no, TRY_CAST(package_count AS BIGINT) AS package_count, {amounts},
            CASE WHEN status_code = '899' THEN {CLEARED} END AS cleared_at, beyond IS NOT NULL AS misread,
            NOT regexp_full_match(concat('|', {numbers}), '(?:\\|[0-9]+(?:\\.[0-9]{{1,5}})?)+')
              OR NOT regexp_full_match(concat(item_no, '|', package_count), '[1-9][0-9]*\\|[0-9]+')
              OR NOT regexp_full_match(concat_ws('|', {", ".join(SINGLE)}), '[0-9]+E[0-9]+[0-9A-Za-z|_-]*') OR {length} AS suspect
            FROM raw JOIN head USING ({heads}) JOIN goods USING ({goods})""")
        self.do("CREATE TABLE finding (row BIGINT, code VARCHAR, field VARCHAR, value VARCHAR)")

    # ------------------------------------------------------------------------------------------------------------- check

    def check_values(self) -> None:
        for table, number, columns in (("head", "head", HEADS), ("goods", "goods", GOODS)):
            for column in columns:
                values = [str(value) for (value,) in self.rows(f"SELECT DISTINCT {column} FROM {table}")]
                bad = [(value, code) for value in values for code in (("F202",) if self.is_misread(column, value) else rules.faults(column, value))]
                if bad:
                    self.sql.register("bad", pa.table({"value": [value for value, _ in bad], "code": [code for _, code in bad]}))
                    self.do(f"""INSERT INTO finding SELECT row, code, '{column}', value
                        FROM line JOIN {table} USING ({number}) JOIN bad ON {table}.{column} = bad.value""")
                    self.sql.unregister("bad")
        self.do("INSERT INTO finding SELECT row, 'F201', '', '' FROM line WHERE misread")
        self.do("UPDATE line SET misread = true WHERE row IN (SELECT row FROM finding WHERE code = 'F202')")
        self.do("DELETE FROM finding WHERE code[1] <> 'F' AND row IN (SELECT row FROM line WHERE misread)")

    @staticmethod
    def is_misread(column: str, value: str) -> bool:
        return "\0" in value or ('"' in value and column.endswith("_code"))

    def check_lines(self) -> None:
        columns = (*SINGLE, *NUMBERS)
        zero = " OR ".join(f"line.{name} <= 0" for name in (*rules.POSITIVE, "net_weight_kg"))
        found: list[tuple[object, ...]] = []
        chosen = ", ".join(f"raw.{name}" for name in columns)
        for row, *values in self.rows(f"SELECT line.row, {chosen} FROM line JOIN raw ON raw.rowid = line.row WHERE (suspect OR {zero}) AND NOT misread"):
            for column, value in zip(columns, values, strict=True):
                found += [(row, code, column, value) for code in rules.faults(column, str(value))]
        self.add_findings(found)
        for column in sorted({str(column) for _, code, column, _ in found if code == "R103"}):
            # What a cast takes and a plain decimal is not, such as 1e5.
            self.do(f"UPDATE line SET {column} = NULL WHERE row IN (SELECT row FROM finding WHERE code = 'R103' AND field = '{column}')")
        cast = "::DECIMAL(38,12)"
        digits = "CASE WHEN contains({0}, '.') THEN length({0}) - instr({0}, '.') ELSE 0 END"
        step = "list_extract([0.5, 0.05, 0.005, 0.0005, 0.00005, 0.000005]::DECIMAL(7,6)[], {0} + 1)"
        price, total = (step.format(digits.format(f"raw.{name}")) for name in ("unit_price", "total_price"))
        self.do(f"""INSERT INTO finding SELECT row, CASE WHEN off > greatest(0.01{cast}, share, rounding) THEN 'R120' ELSE 'R205' END,
            'total_price', value FROM (SELECT line.row, raw.total_price AS value,
              abs(line.declared_quantity * line.unit_price - line.total_price){cast} AS off, (line.total_price * 0.001::DECIMAL(4,3)){cast} AS share,
              (line.declared_quantity * {price}){cast} AS rounding, ({total}){cast} AS half_total
              FROM line JOIN raw ON raw.rowid = line.row
              WHERE line.declared_quantity * line.unit_price <> line.total_price AND NOT misread)
            WHERE off > greatest(0.01{cast}, share, rounding) OR off > rounding + half_total""")
        self.do("""INSERT INTO finding SELECT row, 'R118', 'cleared_at', '' FROM line JOIN head USING (head)
            WHERE status_code = '899' AND cleared_at IS NULL AND NOT misread""")
        self.do("""INSERT INTO finding SELECT row, 'R119', 'second_statutory_quantity', '' FROM line JOIN goods USING (goods)
            WHERE (second_statutory_quantity IS NULL) <> (second_statutory_unit_code = '') AND NOT misread""")

    # ------------------------------------------------------------------------------------------------------- inventories

    def group(self) -> None:
        """Items seen are bits of one number: 1..n without gap or repeat is 2^(n+1) - 2."""
        seen = f"bit_or(1::HUGEINT << least(item_no, {ITEMS_PER_INVENTORY + 20}))"
        read = "FILTER (WHERE NOT misread)"
        spread = ", ".join(f"min({name}) {read} AS {name}, max({name}) {read} AS max_{name}"
                           for name in ("head", "hid", "package_count", "gross_weight_kg", "net_weight_kg"))  # fmt: skip
        self.do(f"""CREATE TABLE inventory AS SELECT unit, row_number() OVER (ORDER BY unit) AS number, * EXCLUDE (unit) FROM (
            SELECT unit, min(row) AS first_row, count(*) AS lines, count(*) {read} AS read_lines, max(item_no) {read} AS max_item,
            {seen} {read} AS seen, bool_or(item_no IS NULL) {read} AS item_missing, {spread}, max(cleared_at) {read} AS cleared_at,
            min(cleared_at) {read} AS min_cleared_at, min(order_no) AS order_no, min(waybill_no) AS waybill_no, min(internal_no) AS internal_no
            FROM line GROUP BY unit)""")

    def check_inventories(self) -> None:
        differ = """(hid <> max_hid OR package_count <> max_package_count OR gross_weight_kg <> max_gross_weight_kg
            OR net_weight_kg <> max_net_weight_kg)"""
        mode = "(SELECT unit FROM line JOIN head USING (head) WHERE NOT misread GROUP BY unit HAVING min(declaration_mode_code) <> max(declaration_mode_code))"
        suspects = "(SELECT * FROM inventory WHERE head <> max_head)"
        add = "INSERT INTO finding SELECT first_row, '{}', '', '' FROM inventory WHERE {}".format
        self.do(add("I101", differ))
        if self.rows(f"SELECT 1 FROM {suspects} LIMIT 1"):
            self.do(add("I101", f"NOT {differ} AND head <> max_head AND unit IN {mode}"))
        self.do(add("I201", f"head <> max_head AND NOT {differ}"))
        self.do(add("I202", "min_cleared_at <> cleared_at"))
        self.do(add("I105", "max_net_weight_kg > gross_weight_kg"))
        self.do(add("I106", "package_count < 1"))
        self.do(add("I104", f"bit_count(seen) > {ITEMS_PER_INVENTORY} OR max_item > {ITEMS_PER_INVENTORY + 20}"))
        self.do(add("I103", "seen <> (1::HUGEINT << least(max_item + 1, 126)) - 2 AND NOT item_missing AND lines = read_lines"))
        self.do("ALTER TABLE line ADD COLUMN repeated BOOLEAN DEFAULT false")
        self.settle_repeats(add)

    def settle_repeats(self, add: object) -> None:
        """Of inventories whose item numbers stand more than once: equal lines collapse, others clash."""
        content = f"(hid, package_count, gross_weight_kg, net_weight_kg, bid, goods, unit_price, {', '.join(LINE_AMOUNTS)})"
        self.do(f"""CREATE TABLE twice AS SELECT row, unit, item_no, {content} AS content FROM line
            WHERE unit IN (SELECT unit FROM inventory WHERE read_lines <> bit_count(seen) AND NOT item_missing) AND NOT misread
            AND row NOT IN (SELECT row FROM finding WHERE code[2] = '1')""")
        self.do("""UPDATE line SET repeated = true WHERE row IN (
            SELECT row FROM twice QUALIFY row_number() OVER (PARTITION BY unit, item_no, content ORDER BY row) > 1)""")
        self.do("CREATE TABLE clash AS SELECT unit FROM twice GROUP BY unit, item_no HAVING count(DISTINCT content) > 1")
        self.do("INSERT INTO finding SELECT first_row, 'I102', '', '' FROM inventory WHERE unit IN (FROM clash)")
        self.do("""INSERT INTO finding SELECT first_row, 'B102', '', '' FROM inventory WHERE unit IN (FROM clash) AND unit IN (
            SELECT unit FROM (SELECT unit, count(*) AS times FROM twice GROUP BY unit, item_no) GROUP BY unit HAVING min(times) > 1 AND min(times) = max(times))""")

    def tie_strays(self) -> None:
        """An inventory that shares an identifier with a line of no inventory, or with one that lacks a line, may lack one too."""
        odd = [str(unit) for (unit,) in self.rows("SELECT DISTINCT inventory_no FROM line WHERE suspect")]
        self.sql.register("stray", pa.table({"inventory_no": pa.array([unit for unit in odd if rules.is_stray(unit)], pa.string())}))
        for name in IDENTIFIERS:
            self.do(f"""INSERT INTO finding SELECT first_row, 'B104', 'inventory_no', '' FROM inventory WHERE {name} <> '' AND (
                {name} IN (SELECT {name} FROM line JOIN stray USING (inventory_no)) AND unit NOT IN (SELECT unit FROM line JOIN stray USING (inventory_no))
                OR {name} IN (SELECT {name} FROM inventory JOIN finding ON row = first_row WHERE code = 'I103')
                  AND first_row NOT IN (SELECT row FROM finding WHERE code = 'I103'))""")
        self.sql.unregister("stray")

    def decide(self) -> None:
        """Excluded over rejected over declared."""
        self.do("""CREATE TABLE wrong AS SELECT unit, string_agg(DISTINCT code, ' ' ORDER BY code) AS codes, bool_or(code IN ('R117', 'R118')) AS undated
            FROM finding JOIN line USING (row) WHERE code[2] = '1' OR code[1] = 'F' GROUP BY unit""")
        month = "strftime(cleared_at, '%Y%m')"
        self.do(f"""CREATE TABLE fate AS SELECT *, CASE WHEN reasons <> '' THEN 'excluded' WHEN codes IS NOT NULL THEN 'rejected' ELSE 'declared' END AS fate
            FROM (SELECT inventory.* EXCLUDE (hid), inventory.hid, codes, {month} AS cleared_period, coalesce({month} < '{PERIOD}', false) AS late,
              concat_ws(' ',
                CASE WHEN trade_mode_code IN ({self.other_modes()}) AND inventory.hid = max_hid THEN 'other_mode' END,
                CASE WHEN declaration_mode_code = 'A' AND head.head = max_head THEN 'simplified' END,
                CASE WHEN inventory.cleared_at IS NULL AND undated IS NOT true AND read_lines > 0 THEN 'not_cleared' END,
                CASE WHEN {month} > '{PERIOD}' THEN 'later_period' WHEN {month} < '{FIRST_PERIOD}' THEN 'before_ledger' END) AS reasons
              FROM inventory LEFT JOIN head ON inventory.head = head.head LEFT JOIN wrong USING (unit))""")

    @staticmethod
    def other_modes() -> str:
        return ", ".join(f"'{code}'" for code in sorted(rules.code_list("trade_mode").codes - {"9610"}))

    # ------------------------------------------------------------------------------------------------------------- merge

    def merge(self) -> None:
        sums = ", ".join(f"sum({name}) AS {name}" for name in LINE_AMOUNTS)
        self.do("CREATE TABLE declared_line AS SELECT line.*, number, late FROM line JOIN fate USING (unit) WHERE fate = 'declared' AND NOT repeated")
        self.do(f"""CREATE TABLE item AS SELECT *, (place - 1) % {ITEMS_PER_DECLARATION} + 1 AS declaration_item_no,
            dense_rank() OVER (ORDER BY hid, (place - 1) // {ITEMS_PER_DECLARATION}) AS declaration
            FROM (SELECT hid, bid, {sums}, count(*) AS inventory_item_count, min(number * 1000 + item_no) AS first_line,
              arg_min(goods, number * 1000 + item_no) AS goods, arg_min(head, number * 1000 + item_no) AS head,
              row_number() OVER (PARTITION BY hid ORDER BY bid) AS place FROM declared_line GROUP BY hid, bid)""")
        self.do(f"""CREATE TABLE placed AS SELECT declared_line.*, declaration, declaration_item_no,
            '{RUN_REF}-' || lpad(declaration::VARCHAR, 6, '0') AS declaration_ref FROM declared_line JOIN item USING (hid, bid)""")

    def share_weights(self) -> None:
        """Where an inventory is spread, net weight and tare go to its lines by the largest remainder at 0.00001 kg."""
        self.do("""CREATE TABLE spread AS SELECT number, any_value(hid) AS hid, min(declaration) AS low, max(declaration) AS high,
            any_value(gross_weight_kg) AS gross, any_value(net_weight_kg) AS net, any_value(package_count) AS packages,
            arg_min(declaration, item_no) AS first_declaration FROM placed GROUP BY number""")
        units = "({0} * 100000)::HUGEINT"
        parts = ", ".join(f"{name} * key // whole AS {name}_part, {name} * key % whole AS {name}_rest" for name in ("net", "tare"))
        ranks = ", ".join(
            f"{name}_part + CASE WHEN row_number() OVER (PARTITION BY number ORDER BY {name}_rest DESC, item_no) "
            f"<= {name} - sum({name}_part) OVER (PARTITION BY number) THEN 1 ELSE 0 END AS {name}_part"
            for name in ("net", "tare")
        )
        self.do(f"""CREATE TABLE share AS WITH lines AS (
              SELECT number, item_no, declaration, {units.format("net")} AS net, {units.format("(gross - net)")} AS tare,
                CASE WHEN bool_and(statutory_unit_code = '035') OVER inventory THEN {units.format("statutory_quantity")}
                  WHEN min(currency_code) OVER inventory = max(currency_code) OVER inventory THEN {units.format("total_price")} ELSE 1 END AS key
              FROM placed JOIN spread USING (number) JOIN goods USING (goods) WHERE low <> high WINDOW inventory AS (PARTITION BY number)),
            whole AS (SELECT *, sum(key) OVER (PARTITION BY number) AS whole FROM lines),
            part AS (SELECT *, {parts} FROM whole),
            ranked AS (SELECT number, declaration, {ranks} FROM part)
            SELECT number, declaration, sum(net_part + tare_part) AS gross, sum(net_part) AS net FROM ranked GROUP BY ALL
            UNION ALL SELECT number, low, {units.format("gross")}, {units.format("net")} FROM spread WHERE low = high""")

    def find_shared(self) -> None:
        for code, name in (("B201", "order_no"), ("B202", "waybill_no")):
            self.do(f"""INSERT INTO finding SELECT first_row, '{code}', '{name}', {name} FROM fate WHERE {name} IN (
                SELECT {name} FROM inventory WHERE {name} <> '' GROUP BY {name} HAVING count(*) > 1) AND fate <> 'excluded'
                AND {name} NOT IN (SELECT value FROM finding WHERE code = 'R206')""")
        for code, name, other in (("B204", "consignor_code", "consignor_name"), ("B205", "consignor_name", "consignor_code")):
            self.do(f"""INSERT INTO finding SELECT NULL, '{code}', '{other}', {name} FROM head WHERE head IN (SELECT head FROM declared_line)
                GROUP BY {name} HAVING count(DISTINCT {other}) > 1""")
        self.do("""INSERT INTO finding SELECT NULL, 'B203', 'declared_unit_code', commodity_code FROM item JOIN goods USING (goods)
            GROUP BY declaration, commodity_code HAVING count(DISTINCT (declared_unit_code, statutory_unit_code)) > 1""")

    # ------------------------------------------------------------------------------------------------------------- write

    def write(self) -> None:
        ref = f"'{RUN_REF}-' || lpad(declaration::VARCHAR, 6, '0') AS declaration_ref"
        kilograms = "({0} * 0.00001::DECIMAL(6,5))::DECIMAL(38,5)"
        self.do(f"""CREATE TABLE declaration AS SELECT {ref}, {", ".join(name for name in HEADER_KEY if name != "producer_name")}, consignor_name,
            producer_seller_name, item_count, inventory_count, inventory_item_count, package_count, gross_weight_kg, net_weight_kg, declaration
            FROM (SELECT declaration, arg_min(head, first_line) AS head, count(*) AS item_count, sum(inventory_item_count) AS inventory_item_count
              FROM item GROUP BY declaration) JOIN head USING (head)
            JOIN (SELECT declaration, count(*) AS inventory_count, {kilograms.format("sum(gross)")} AS gross_weight_kg,
              {kilograms.format("sum(net)")} AS net_weight_kg FROM share GROUP BY declaration) USING (declaration)
            LEFT JOIN (SELECT first_declaration AS declaration, sum(packages) AS package_count FROM spread GROUP BY 1) USING (declaration)""")
        self.copy("SELECT * EXCLUDE (declaration) REPLACE (coalesce(package_count, 0) AS package_count) FROM declaration ORDER BY declaration", "declarations.csv")
        # A division of decimals gives a double: scaled to whole numbers, it is rounded half to even by hand.
        price = """((total_price * 100000)::HUGEINT * 20000 // (declared_quantity * 100000)::HUGEINT) AS twice,
            (total_price * 100000)::HUGEINT * 20000 % (declared_quantity * 100000)::HUGEINT AS rest"""
        rounded = "(twice // 2 + CASE WHEN twice % 2 = 1 AND (rest > 0 OR twice // 2 % 2 = 1) THEN 1 ELSE 0 END)"
        self.copy(f"""SELECT {ref}, declaration_item_no, commodity_code, item_name AS goods_name, goods_spec, destination_country_code, currency_code,
            declared_quantity, declared_unit_code, statutory_quantity, statutory_unit_code, second_statutory_quantity, second_statutory_unit_code,
            ({rounded} * 0.0001::DECIMAL(5,4))::DECIMAL(38,4) AS unit_price, total_price, inventory_item_count
            FROM (SELECT *, {price} FROM item) JOIN goods USING (goods) ORDER BY declaration, declaration_item_no""", "declaration_items.csv")
        self.copy(f"""SELECT inventory_no, item_no, declaration_ref, declaration_item_no, {", ".join(LINE_AMOUNTS)}, unit_price, order_no, waybill_no,
            late, '{self.source}' AS source_file, row + 2 AS source_row, head.* EXCLUDE (head, hid), goods.* EXCLUDE (goods, bid),
            gross_weight_kg, net_weight_kg, package_count
            FROM placed JOIN head USING (head) JOIN goods USING (goods)""", "audit_map.parquet", "(COMPRESSION zstd, ROW_GROUP_SIZE 131072)")
        self.copy(f"""SELECT unit AS inventory_no, {ref}, {kilograms.format("share.gross")} AS gross_weight_kg, {kilograms.format("share.net")} AS net_weight_kg
            FROM share JOIN spread USING (number) JOIN inventory USING (number) WHERE low <> high ORDER BY 1, 2""", "weight_shares.csv")
        self.copy("SELECT unit AS inventory_no, unnest(string_split(reasons, ' ')) AS reason, lines AS item_lines, cleared_at AS detail, first_row + 2 AS source_row "
                  "FROM fate WHERE fate = 'excluded' ORDER BY first_row", "excluded.csv")  # fmt: skip
        self.copy("""SELECT code, inventory_no, item_no, field, value, row + 2 AS source_row FROM finding LEFT JOIN line USING (row) LEFT JOIN fate USING (unit)
            WHERE fate IS NULL OR fate <> 'excluded' ORDER BY row, code""", "findings.csv")
        self.copy("""SELECT raw.* EXCLUDE (beyond), codes AS reject_codes FROM raw JOIN line ON raw.rowid = line.row JOIN fate USING (unit)
            WHERE fate = 'rejected' ORDER BY line.row""", "rejected.csv")
        self.write_totals()

    def copy(self, query: str, name: str, options: str = "(HEADER)") -> None:
        self.do(f"COPY ({query}) TO '{self.out}/{name}' {options}")

    def write_totals(self) -> None:
        buckets = "sum(amount) AS read, " + ", ".join(
            f"coalesce(sum(amount) FILTER (WHERE bucket = '{name}'), 0) AS {name}" for name in ("declared", "rejected", "excluded")
        )
        bucket = "CASE WHEN repeated AND fate <> 'excluded' THEN 'excluded' ELSE fate END AS bucket"
        self.do(f"CREATE TABLE fated AS SELECT line.*, {bucket} FROM line JOIN fate USING (unit)")
        parts = [
            f"SELECT '{column}' AS field, {unit} AS unit, {buckets} FROM (SELECT {unit}, fated.{column} AS amount, bucket "
            f"FROM fated JOIN goods USING (goods) WHERE NOT misread AND fated.{column} >= 0) GROUP BY 2 HAVING count(amount) > 0"
            for column, unit in UNIT_OF.items()
        ]
        for column, unit in (("gross_weight_kg", "kg"), ("net_weight_kg", "kg"), ("package_count", "")):
            # Once an inventory and distinct value, though they stand on every line.
            parts.append(f"""SELECT '{column}', '{unit}', {buckets} FROM (SELECT {column} AS amount, fate AS bucket FROM fate WHERE {column} >= 0
                UNION ALL SELECT DISTINCT ON (unit, fated.{column}) fated.{column}, bucket FROM fated JOIN inventory USING (unit)
                WHERE inventory.{column} <> max_{column} AND fated.{column} <> inventory.{column} AND NOT misread)""")
        parts.append(f"SELECT 'lines', '', {buckets} FROM (SELECT 1 AS amount, bucket FROM fated)")
        parts.append(f"SELECT 'inventories', '', {buckets} FROM (SELECT 1 AS amount, fate AS bucket FROM fate WHERE unit[:4] <> 'row ')")
        self.do("CREATE TABLE total AS " + " UNION ALL ".join(parts))
        off = self.rows("SELECT * FROM total WHERE read <> declared + rejected + excluded")
        assert not off, off
        self.copy("SELECT * FROM total ORDER BY 1, 2", "control_totals.csv")

    def record(self) -> None:
        key = ", ".join(APPLICATION_KEY)
        self.do(f"CREATE TABLE of_declaration AS SELECT *, dense_rank() OVER (ORDER BY {key}) AS application_no FROM declaration")
        content = "concat_ws(chr(31), item_no, goods, unit_price, " + ", ".join(LINE_AMOUNTS) + ")"
        self.do(f"""CREATE TABLE content AS SELECT number, unhex(sha256(concat_ws(chr(30), any_value(hid), any_value(gross_weight_kg), any_value(net_weight_kg),
            any_value(package_count), string_agg({content}, chr(30) ORDER BY item_no)))) AS content,
            string_agg(declaration || '/' || declaration_item_no, ' ' ORDER BY item_no) AS items, min(declaration) AS declaration
            FROM placed GROUP BY number""")
        reader = self.sql.execute("""SELECT unit, content, application_no, items, cleared_period, late::INTEGER FROM content
            JOIN fate USING (number) JOIN of_declaration USING (declaration)""")
        fill_ledger(
            self.out / "ledger.sqlite",
            iter_rows(reader),
            self.sql.cursor().execute("""SELECT unit, coalesce(cleared_period, ''), fate, CASE WHEN fate = 'rejected' THEN codes ELSE reasons END
                FROM fate WHERE fate <> 'declared' AND unit[:4] <> 'row '""").fetchall(),
            self.sql.cursor().execute("SELECT declaration_ref, application_no, item_count, inventory_count FROM of_declaration").fetchall(),
            self.sql.cursor().execute(f"SELECT DISTINCT application_no, application_no, {key} FROM of_declaration").fetchall(),
        )


def iter_rows(reader: duckdb.DuckDBPyConnection):  # type: ignore[no-untyped-def]
    while rows := reader.fetchmany(50_000):
        yield from rows


if __name__ == "__main__":
    Job(Path(sys.argv[1]), Path(sys.argv[2])).run()
