"""What `make licences` takes for allowed, and where it looks."""

from __future__ import annotations

import pytest

from supply.licences import OF_FILES, PERMISSIVE, is_allowed
from supply.packages import packages

EXPRESSIONS = {
    "MIT": True,
    "GPL-3.0-only": False,
    "GPL-3.0-only OR MIT": True,
    "MIT AND GPL-3.0-only": False,
    "MIT AND (GPL-3.0-only OR BSD-3-Clause)": True,
    "GPL-2.0-only AND MIT OR GPL-3.0-only": False,
    "Apache-2.0 WITH LLVM-exception": True,
    "LGPL-3.0-only": False,
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(expression: str) -> None:
    assert is_allowed(expression, PERMISSIVE) == EXPRESSIONS[expression]


def test_packages_of_the_lock() -> None:
    by_name = {each.name: each for each in packages()}
    assert by_name["colorama"].licence == "BSD-3-Clause"
    assert by_name["pyarrow"].use == "run"
    assert by_name["psycopg"].use == "postgres"
    assert by_name["pytest"].use == "dev"
    assert is_allowed(by_name["psycopg"].licence or "", OF_FILES)
    assert "numpy" in by_name["pandas"].needs
