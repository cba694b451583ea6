"""`make sbom`: dist/sbom.cdx.json, the bill of materials (CycloneDX) of constraints.txt, with licences and who needs what. The same
lock makes the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from supply.packages import ROOT, RUN, Package, directly_needed, packages

OUT = ROOT / "dist" / "sbom.cdx.json"
SCOPES = {"run": "required", "dev": "excluded"}
"""As CycloneDX has them: what an extra asks for is optional."""


def main() -> int:
    command = ["requirements", "constraints.txt", "--pyproject", "pyproject.toml", "--output-reproducible", "--spec-version", "1.6"]
    made = subprocess.run([sys.executable, "-m", "cyclonedx_py", *command], cwd=ROOT, check=True, capture_output=True, text=True)
    bill, pinned = json.loads(made.stdout), packages()
    by_version = {(each.name, each.version): each for each in pinned}
    for component in bill["components"]:
        _complete(component, by_version.pop((component["name"], component["version"])))
    bill["dependencies"] = _needed(bill, pinned)
    if by_version:
        sys.stderr.write(f"Not in the bill: {', '.join(name for name, _ in by_version)}\n")
        return 1
    text = json.dumps(bill, indent=1, sort_keys=True) + "\n"
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.stderr.write(f"No CycloneDX: {wrong}\n")
        return 1
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(text, encoding="utf-8")
    needed = sum(each.use == RUN for each in pinned)
    sys.stdout.write(f"{OUT.relative_to(ROOT)}: {len(pinned)} packages, {needed} of them needed to run\n")
    return 0


def _needed(bill: dict[str, Any], pinned: list[Package]) -> list[dict[str, Any]]:
    """Who asks for what, by the references of the bill; a name may be pinned in two versions for two Pythons."""
    refs: dict[str, list[str]] = {}
    for component in bill["components"]:
        refs.setdefault(component["name"], []).append(component["bom-ref"])

    def of(names: tuple[str, ...]) -> list[str]:
        return sorted(ref for name in names for ref in refs.get(name, []))

    needs = {ref: of(each.needs) for each in pinned for ref in refs[each.name]}
    needs[bill["metadata"]["component"]["bom-ref"]] = of(directly_needed())
    return [{"ref": ref, "dependsOn": needs[ref]} for ref in sorted(needs)]


def _complete(component: dict[str, Any], package: Package) -> None:
    component["bom-ref"] = component["purl"]
    component.pop("description", None)
    component["scope"] = SCOPES.get(package.use, "optional")
    if package.licence is not None:
        component["licenses"] = [{"expression": package.licence}]


if __name__ == "__main__":
    sys.exit(main())
