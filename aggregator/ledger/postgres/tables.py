"""The tables of a ledger in a database, in a schema of their own, and what counts the changes made to them.

    format    that this is a ledger, and of which version
    counted   what statements changed, by table: rows that came less rows that went, and the sum of their hashes

Counting is by triggers, whoever makes the change: what is left in `counted` after a transaction was changed by another hand.
"""

from __future__ import annotations

import re

from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.sql.tables import ANSWER_TABLES, COLUMNS, TABLES, VERSION
from aggregator.ledger.sql.words import CHANGES, EVENT, INVENTORY

APPLICATION = "9610"
FORMAT, COUNTED = "format", "counted"
SEALED_TABLES = tuple(name for name in COLUMNS if name != EVENT)
"""The chain of events needs no sum: each of its rows holds the hash of the one before."""
_TYPES = {"TEXT": 'text COLLATE "C"', "INTEGER": "bigint", "BLOB": "bytea"}
_OWN_TABLES = f"""
CREATE TABLE {FORMAT} (application text NOT NULL, version bigint NOT NULL);
CREATE TABLE {COUNTED} (
    counted_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL, rows bigint NOT NULL,
    high numeric NOT NULL, low numeric NOT NULL
);
CREATE FUNCTION hash_of(line text, place integer) RETURNS bigint LANGUAGE sql STABLE
    RETURN ('x' || encode(substr(sha256(convert_to(line, 'UTF8')), place, 8), 'hex'))::bit(64)::bigint;
"""


def summed(lines: str, sign: str = "") -> str:
    """Of lines of text how many they are, and the sums of the two halves of their hashes."""
    return f"SELECT {sign}count(*) AS rows, {sign}coalesce(sum(hash_of(line, 1)), 0), {sign}coalesce(sum(hash_of(line, 9)), 0) FROM ({lines}) AS lines"


def _counting(name: str, line: str) -> str:
    """What a trigger calls once a statement, whatever number of rows it changes. `line`: of a row x what is hashed."""
    into = f"INSERT INTO {COUNTED} (name, rows, high, low) SELECT TG_TABLE_NAME, sums.* FROM"
    came, went = (f"{into} ({summed(f'SELECT {line} AS line FROM {rows} AS x', sign)}) AS sums WHERE rows <> 0" for rows, sign in (("came", ""), ("went", "-")))
    return f"""
CREATE FUNCTION count_{name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $count$
BEGIN
    IF TG_OP <> 'DELETE' THEN {came}; END IF;
    IF TG_OP <> 'INSERT' THEN {went}; END IF;
    RETURN NULL;
END $count$;
"""


_TRIGGERS = {
    "INSERT": "REFERENCING NEW TABLE AS came",
    "UPDATE": "REFERENCING NEW TABLE AS came OLD TABLE AS went",
    "DELETE": "REFERENCING OLD TABLE AS went",
}


def _triggers(table: str) -> str:
    # Inventories are never removed, and those that come are held by a hash of their run.
    operations = ("UPDATE",) if table == INVENTORY else tuple(_TRIGGERS)
    function = "changes" if table == INVENTORY else "rows"
    return "".join(
        f"CREATE TRIGGER {operation.lower()}_counted AFTER {operation} ON {table} {_TRIGGERS[operation]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION count_{function}();\n"
        for operation in operations
    )


def make_tables(connection: PostgresConnection) -> None:
    """Within a transaction, in the schema of the ledger."""
    described = re.sub(r"\) STRICT(, WITHOUT ROWID)?;", ");", TABLES + ANSWER_TABLES)
    connection.script(re.sub(r"\b(TEXT|INTEGER|BLOB)\b", lambda kind: _TYPES[kind[0]], described))
    connection.script(_OWN_TABLES)
    connection.execute(f"INSERT INTO {FORMAT} VALUES (?, ?)", (APPLICATION, VERSION))


def make_triggers(connection: PostgresConnection) -> None:
    """Within a transaction, once the tables are filled that are filled at once."""
    changes = ", ".join(f"x.{name}" for name in CHANGES)
    connection.script(
        _counting("rows", "x::text") + _counting("changes", f"ROW({changes})::text") + "".join(map(_triggers, SEALED_TABLES))
    )
