"""Check what we made against its own schema: what breaks it is an internal error, and nothing is published."""

from __future__ import annotations

import pyarrow as pa

from aggregator.model.errors import OurFault
from aggregator.schemas.modes import Mode


def checked(mode: Mode, name: str, table: pa.Table) -> pa.Table:
    """The table in the types of its schema. Raises OurFault (D101)."""
    from pandera.errors import SchemaError, SchemaErrors

    try:
        return mode.outputs.checked(name, table)
    except (SchemaError, SchemaErrors, pa.ArrowInvalid) as error:
        rule = mode.rules["D101"]
        raise OurFault(f"[D101] {name}: {rule.message.en} {error}", f"[D101] {name}：{rule.message.zh} {error}") from error
