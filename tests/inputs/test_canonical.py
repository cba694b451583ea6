"""Values that are canonical as they stand are not looked at one by one: that changes nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.inputs.tables import canonical
from aggregator.inputs.tables.canonical import Repairs, canonical_column
from aggregator.schemas.field import Field
from aggregator.schemas.modes.m9610 import M9610

KINDS = {(M9610.dictionary[name].kind, bool(M9610.dictionary[name].codes)): M9610.dictionary[name] for name in M9610.dictionary.columns}
_CELLS = st.lists(st.none() | st.text("AZaz09-_ '=\"`~\x7f\t\u3000Ａé@", max_size=4) | st.text("AZ09-", max_size=4), max_size=4)


@pytest.mark.parametrize("field", KINDS.values(), ids=[f"{kind}{' of a list' if listed else ''}" for kind, listed in KINDS])
@given(cells=_CELLS)
def test_what_stays_as_it_is_is_what_would_come_out(field: Field, cells: list[str | None]) -> None:
    values = pa.array(["é ", *cells], pa.string()).slice(1)
    repairs, anew = Repairs(), Repairs()
    made = canonical_column(values, field, repairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "_is_canonical", lambda *_: False)
        assert made.equals(canonical_column(values, field, anew))
    assert repairs.of(0) == anew.of(0)


def test_numbers_as_they_nearly_always_are_stay_as_they_are() -> None:
    assert canonical._is_canonical(pa.array(["", "SO2026-1", None]), M9610.dictionary["order_no"])
    assert not canonical._is_canonical(pa.array(["", "'SO2026-1"]), M9610.dictionary["order_no"])
