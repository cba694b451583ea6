"""What of a text from outside stands before a person."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.schemas.shown import shown, shown_json, without_passwords

ACTING = {"Cc", "Zl", "Zp", "Cs"}
BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def acts(letter: str) -> bool:
    return unicodedata.category(letter) in ACTING or unicodedata.bidirectional(letter) in BIDI or letter in "\u200e\u200f\u061c"


def test_every_character_that_acts_is_escaped_and_no_other() -> None:
    for code in range(0x11000):
        letter = chr(code)
        assert (shown(f"a{letter}b") != f"a{letter}b") == (acts(letter) or 0x206A <= code <= 0x206F), hex(code)
    assert shown("\x1b[31m\x07\x7f\x9b\u202e\u2028") == r"\x1b[31m\x07\x7f\x9b\u202e\u2028"
    assert shown("a\nall is well\r\tb") == r"a\nall is well\r\tb"
    assert shown("清单 ＝Ｔ恤’\u200d") == "清单 ＝Ｔ恤’\u200d"
    assert shown(b"\xc7\xe5\xff.csv".decode("utf-8", "surrogateescape")) == r"\xc7\xe5\xff.csv"


@given(st.text(st.characters()))
def test_json_says_the_same_on_one_plain_line(text: str) -> None:
    line = shown_json({text: text})
    assert not any(map(acts, line))
    assert json.loads(line) == {text: text}


@pytest.mark.parametrize(
    ("text", "told"),
    [("'postgresql://u:ge:h@im@h/db' is no mode", "'postgresql://u:***@h/db' is no mode"), ("The file http:/u:geheim@h is not there", "The file http:/u:***@h is not there"),
     ("postgresql://h/db?password=geheim&sslpassword=geheim", "postgresql://h/db?password=***&sslpassword=***"), ("http://127.0.0.1:80/?token=a mail@b", "http://127.0.0.1:80/?token=a mail@b"),
     ('{"a": "http://h:80", "b": "x@y"}', '{"a": "http://h:80", "b": "x@y"}'), ("postgresql://u@h/db, s3://bucket/key, C:/x@y", "postgresql://u@h/db, s3://bucket/key, C:/x@y")],
)  # fmt: skip
def test_passwords_in_urls_are_told_to_nobody(text: str, told: str) -> None:
    assert without_passwords(text) == told
