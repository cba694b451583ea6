"""Every package of constraints.txt: its version, its licence as an SPDX expression, and who needs it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
RUN, DEV = "run", "dev"

BY_HAND = {
    "colorama": "BSD-3-Clause",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "py4j": "BSD-3-Clause",
    "pyspark": "Apache-2.0",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "python-stdnum": "LGPL-2.1-or-later",
}
"""Read in the licence files of packages that say it in words of their own, or that this machine does not install."""

SPELT = {
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "PSFL": "PSF-2.0",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
"""What other ways there are to say it. "BSD License" is none: it does not say which."""

SYSTEMS: tuple[dict[str, str], ...] = ({}, {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"})
"""This one, and one that needs what others do not."""


@dataclass(frozen=True)
class Package:
    """`licence`: None where it is not known. `use`: run, the name of an extra, or dev."""

    name: str
    version: str
    licence: str | None
    use: str
    needs: tuple[str, ...]


def packages() -> list[Package]:
    """One for each name and version, by name."""
    pinned = [Requirement(line) for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    uses = _uses()
    found = []
    for each in pinned:
        name, installed = canonicalize_name(each.name), _installed(each.name)
        version = str(each.specifier).removeprefix("==")
        found.append(Package(name, version, _licence(name, installed), uses.get(name, DEV), needs_of(name)))
    return sorted(found, key=lambda package: (package.name, package.version))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _licence(name: str, installed: Distribution | None) -> str | None:
    said: list[str] = []
    if installed is not None:
        data = installed.metadata
        classified = [each for each in data.get_all("Classifier") or [] if each.startswith("License :: OSI Approved")]
        said = [data["License-Expression"] or "", BY_HAND.get(name, ""), *(classified if len(classified) == 1 else []), data["License"] or ""]
    for each in [*said, BY_HAND.get(name, "")]:
        try:
            return str(canonicalize_license_expression(SPELT.get(each, each)))
        except InvalidLicenseExpression:
            continue
    return None


def _uses() -> dict[str, str]:
    """Who needs a package, itself or by others: the program before its extras, these before development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {RUN: project["dependencies"], **project["optional-dependencies"]}
    uses: dict[str, str] = {}
    for use in sorted(groups, key=lambda group: (group != RUN, group == DEV)):
        waiting = [Requirement(each) for each in groups[use]]
        seen: set[str] = set()
        while waiting:
            each = waiting.pop()
            uses.setdefault(canonicalize_name(each.name), use)
            if (key := f"{each.name}{sorted(each.extras)}") not in seen:
                seen.add(key)
                waiting += _needs(each)
    return uses


def needs_of(name: str) -> tuple[str, ...]:
    """Names of the packages that one asks for, without extras."""
    return tuple(sorted({str(canonicalize_name(each.name)) for each in _needs(Requirement(name))}))


def directly_needed() -> tuple[str, ...]:
    """What the program itself asks for, with its extras but for development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *(asked for extra, asked in project["optional-dependencies"].items() if extra != DEV)]
    return tuple(sorted({str(canonicalize_name(Requirement(each).name)) for group in groups for each in group}))


def _needs(wanted: Requirement) -> list[Requirement]:
    installed = _installed(wanted.name)
    needs = [Requirement(each) for each in (installed.requires if installed else None) or []]
    places = [{"extra": extra, **system} for extra in ("", *wanted.extras) for system in SYSTEMS]
    return [each for each in needs if each.marker is None or any(each.marker.evaluate(place) for place in places)]
