"""`make licences`: a table of the licences of all packages that are installed to run, test or build this. Fails where one is not
known, or asks for more than to be named."""

from __future__ import annotations

import re
import sys

from supply.packages import DEV, ROOT, packages

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
}  # fmt: skip
OF_FILES = {"LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"}
"""Whoever changes such a package has to give away the change: we import them as they are. None may be needed to run."""
_WORD = re.compile(r"\(|\)|[^\s()]+")


def main() -> int:
    lines, wrong = ["| package | version | licence | for |", "|---|---|---|---|"], []
    for each in packages():
        lines.append(f"| {each.name} | {each.version} | {each.licence or '?'} | {each.use} |")
        allowed = PERMISSIVE if each.use == "run" else PERMISSIVE | OF_FILES
        if each.licence is None:
            wrong.append(f"{each.name} {each.version}: what licence it has is not known; see BY_HAND in supply/packages.py")
        elif not is_allowed(each.licence, allowed):
            wrong.append(f"{each.name} {each.version}: {each.licence} is not allowed {'' if each.use == DEV else 'to be shipped with '}{each.use}")
    text = "\n".join(lines) + "\n"
    (ROOT / "dist").mkdir(exist_ok=True)
    (ROOT / "dist" / "licences.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """An SPDX expression: AND binds closer than OR. An exception to a licence (WITH) takes nothing away."""
    words = _WORD.findall(expression)

    def either() -> bool:
        result = both()
        while words and words[0] == "OR":
            words.pop(0)
            result = both() or result
        return result

    def both() -> bool:
        result = one()
        while words and words[0] == "AND":
            words.pop(0)
            result = one() and result
        return result

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            result = either()
            words.pop(0)
            return result
        if words[:1] == ["WITH"]:
            del words[:2]
        return word in allowed

    return either()


if __name__ == "__main__":
    sys.exit(main())
