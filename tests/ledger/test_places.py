"""Where a ledger is: paths and URLs, and what of a URL is shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from aggregator.ledger import errors
from aggregator.model.errors import WrongConfiguration
from aggregator.model.options import from_config
from aggregator.model.place import Database, MalformedUrl, place_of
from tests.cli.test_cli import aggregator
from tests.conftest import Runner

SECRET = "pa%3Ass"


@pytest.mark.parametrize("text", ["ledger.sqlite", "/a/postgresql", "postgres.sqlite", "./postgresql:x", "C:/x"])
def test_whatever_does_not_begin_like_a_url_is_a_path(text: str) -> None:
    assert place_of(text) == Path(text)


@pytest.mark.parametrize(
    ("url", "shown", "schema"),
    [
        ("postgresql://u@h/db", "postgresql://u@h/db", "aggregator"),
        (f"postgresql://u:{SECRET}@h:5433/db?schema=firm_a", "postgresql://u@h:5433/db?schema=firm_a", "firm_a"),
        (f"postgres://u@h1:1,h2:2/db?password={SECRET}&sslmode=require&sslpassword={SECRET}", "postgresql://u@h1:1,h2:2/db?sslmode=require", "aggregator"),
        (f"PostgreSQL://:{SECRET}@[::1]/?p%61ssword={SECRET}", "postgresql://@[::1]/", "aggregator"),
        ("postgresql:///db?host=%2Ftmp%2Fx", "postgresql:///db?host=%2Ftmp%2Fx", "aggregator"),
    ],
)
def test_what_is_shown_of_a_url_holds_no_secret(url: str, shown: str, schema: str) -> None:
    place = place_of(url)
    assert isinstance(place, Database)
    assert (str(place), place.schema) == (shown, schema)
    for text in (str(place), repr(place), repr(copy.copy(place)), str(errors.LockHeld(place, 1)), str(errors.NoLedger(place))):
        assert "pa" not in text.replace("path", "")
    assert place.without_secrets("said pa:ss and pa%3Ass") in ("said *** and ***", "said pa:ss and pa%3Ass")
    assert pickle.loads(pickle.dumps(place)) == place
    assert "schema=" not in place.server_url
    assert place.server_url.count(SECRET) == url.count(SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:u@h/db", "postgresql:/u@h/db", "postgresql://u:geheim@ss@h/db", "postgresql://u:gehe/im@h/db", "postgresql://u:gehe#im@h/db",
        "postgresql://u:gehe?im@h/db", "postgresql://u:gehe im@h/db", "postgresql://u:gehe\nim@h/db", "postgresql://geheim:x/db", "postgresql://u@h:geheim/db",
        "postgresql://u:geheim@h/db?schema=A", "postgresql://u:geheim@h/db?schema=x;y", "postgresql://u:geheim@h/db?schema=pg_x",
        "postgresql://u:geheim@h/db?schema=", "postgresql://u:geheim@h/db?password=gehe@im",
    ],
)  # fmt: skip
def test_a_url_that_could_be_read_in_two_ways_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(MalformedUrl) as refused:
        place_of(url)
    for text in (refused.value.text.en, refused.value.text.zh):
        assert "gehe" not in text
    with pytest.raises(WrongConfiguration) as refused_too:
        from_config({"run": {"ledger": url}}, {})
    assert "gehe" not in str(refused_too.value)


def test_a_malformed_url_is_wrong_usage_and_a_config_with_one_wrong_configuration(runner: Runner) -> None:
    url = "postgresql://u:gehe@im@h/db"
    result = aggregator("status", "--ledger", url, folder=runner.folder)
    assert (result.returncode, "gehe" in result.stdout + result.stderr) == (2, False)
    runner.write(f'[run]\nledger = "{url}"\n', "aggregator.toml")
    result = aggregator("status", folder=runner.folder)
    assert (result.returncode, "gehe" in result.stdout + result.stderr) == (78, False)
