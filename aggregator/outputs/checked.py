"""Check what we made against its own schema: what breaks it is our fault, and nothing is published."""

from __future__ import annotations

import pandera.pandas as pandera
import pyarrow as pa

from aggregator.model.errors import OurFault
from aggregator.schemas.modes.m9610.declaration import check_output
from aggregator.schemas.modes.m9610.rules import RULES


def checked(name: str, table: pa.Table) -> pa.Table:
    """The table in the types of its schema. Raises OurFault (D101)."""
    try:
        return check_output(name, table)
    except (pandera.errors.SchemaError, pandera.errors.SchemaErrors, pa.ArrowInvalid) as error:
        rule = RULES["D101"]
        raise OurFault(f"[D101] {name}: {rule.message.en} {error}", f"[D101] {name}：{rule.message.zh} {error}") from error
