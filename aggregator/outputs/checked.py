"""Check what we made against its own schema: what breaks it is an internal error, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from aggregator.model.errors import OurFault
from aggregator.schemas.modes import Mode


def checked(mode: Mode, name: str, table: pa.Table) -> pa.Table:
    """The table in the types of its schema. Raises OurFault (D101)."""
    return _checked(mode, name, mode.outputs.checked, table)


def checked_by_values(mode: Mode, name: str, table: pa.Table) -> pa.Table:
    """The same, but dictionary encoded columns stay so (see OutputSchemas)."""
    return _checked(mode, name, mode.outputs.checked_by_values, table)


def _checked(mode: Mode, name: str, check: Callable[[str, pa.Table], pa.Table], table: pa.Table) -> pa.Table:
    from pandera.errors import SchemaError, SchemaErrors

    try:
        return check(name, table)
    except (SchemaError, SchemaErrors, pa.ArrowInvalid) as error:
        rule = mode.rules["D101"]
        raise OurFault(f"[D101] {name}: {rule.message.en} {error}", f"[D101] {name}：{rule.message.zh} {error}") from error
