"""Hostile texts and numbers, and the run that they are given to."""

from __future__ import annotations

RUN = ("--period", "2026-10", "--first-period", "2026-09", "--out", "out", "--as-of", "2026-11-05", "--workers", "1")
TEXTS = {
    "colour": "a\x1b[31mb", "title": "a\x1b]0;x\x07", "bell": "a\x07", "delete": "a\x7f", "c1": "a\x9b31m", "line": "a\nall is well", "return": "a\rall is well",
    "separator": "a\u2028all is well", "next line": "a\x85all is well", "right to left": "a\u202efdp.exe", "isolate": "a\u2066b", "mark": "a\u200fb", "nothing": "a\u200bb", "bom": "\ufeffa",
    "formula": "=1+1", "command": "=cmd|'/C calc'!A0", "plus": "+1+1", "minus": "-1+cmd", "at": "@SUM(1)", "tab formula": "\t=1", "line formula": "\n=1", "blank formula": "  =1",
    "wide formula": "＝1+1", "wide at": "＠x", "quoted": "'=1", "script": "<script>alert(1)</script>", "image": "<img src=x onerror=alert(1)>", "attribute": "\" onerror=alert(1) x=\"",
    "entity": "&lt;&xxe;", "cdata": "]]><x/>", "path": "../../escaped", "absolute": "/tmp/escaped", "windows": "C:\\escaped", "format": "%s%n{0}{x.__class__}", "sql": "'; DROP TABLE run; --",
    "jinja": "{{7*7}}{% raw %}", "quote": '"', "quotes": '""a"', "comma": ",", "long": "x" * 5000, "wide": "清" * 300, "emoji": "\U0001f600", "zero": "0", "blank": " ", "star": "*", "option": "--out",
    "null word": "NULL", "nan": "nan", "markup": "[red]a[/red]", "number sign": "#N/A",
}  # fmt: skip
NUMBERS = ("nan", "inf", "-1", "0", "1e400", "1e-400", "9" * 15, "9" * 400, "0x10", "１２", "1_000", "1,000", "--1", "1.", ".", "1.000001", "٣", "½", "1e5", "-0", "00", "+1", "1 ", "1\u00a0")
