"""Print a page to PDF by a browser that the machine has, without a window and without the network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from aggregator.model.disk import own_folder, write_file
from aggregator.model.errors import CannotReadOrWrite, WrongConfiguration, WrongUsage, cannot_be_read
from aggregator.model.remote import AnyPath
from aggregator.model.small import read_small
from aggregator.places.at import place_at
from aggregator.schemas.text import Lang

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PAGE = "report.html"
_PATIENCE_SECONDS = 180
_MOST = 16 << 20
_DOCTYPE = "<!doctype html>"
_HELD = f"""{_DOCTYPE}<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">"""
"""What others wrote into a report gets no script and no other file of this machine. (Chromium prints nothing where scripts are switched off.)"""
_META = re.compile('<meta (?:charset="utf-8"|name="[a-z-]+" content="[^"<>]*"|http-equiv="Content-Security-Policy" content="[^"<>]*")>')
_ANY_META = re.compile("<meta", re.IGNORECASE)
_CHOSEN = re.compile(r'(<input class="choice" type="radio" name="lang" id="lang-(zh|en)"[^<>]*?)( checked)?>')


def print_report(run_folder: AnyPath, target: Path, lang: Lang | None) -> None:
    """The report of a run as PDF, in a language or the run's own. Raises WrongConfiguration where there is no browser."""
    page = run_folder / PAGE
    try:
        with place_at(page).local(page) as file:
            text = read_small(file, _MOST).decode(errors="replace")
    except OSError as error:
        raise cannot_be_read(str(page), error) from None
    # One that leads elsewhere at once is none either: what would be printed is another page.
    if not (text.startswith(_DOCTYPE) and _CHOSEN.search(text) and len(_META.findall(text)) == len(_ANY_META.findall(text))):
        raise WrongUsage(f"{page} is no report of a run.", f"{page} 不是批次报告。")
    held = text.replace(_DOCTYPE, _HELD, 1)
    print_page(_in_lang(held, lang) if lang else held, target)


def _in_lang(text: str, lang: Lang) -> str:
    return _CHOSEN.sub(lambda found: f"{found[1]}{' checked' if found[2] == lang else ''}>", text)


def print_page(text: str, target: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise WrongConfiguration(
            f"No browser was found to print with: none of {', '.join(BROWSERS)} is on the PATH. Install Chromium, or open {PAGE} in "
            "any browser and print it to PDF.",
            f"未找到可用于打印的浏览器：PATH 中没有 {'、'.join(BROWSERS)}。请安装 Chromium，或用任意浏览器打开 {PAGE} 后打印为 PDF。",
        )
    with own_folder("aggregator-pdf-") as folder:
        page, made = folder / PAGE, folder / "report.pdf"
        page.write_text(text, encoding="utf-8")
        said = _print(browser, page, made, folder / "profile")
        if not made.is_file() or not made.stat().st_size:
            raise CannotReadOrWrite(f"{browser} printed nothing: {said}.", f"{browser} 未能打印：{said}。")
        write_file(target, made.read_bytes())


def _print(browser: str, page: Path, made: Path, profile: Path) -> str:
    """What the browser says last."""
    # Chromium refuses its sandbox to root. The page gets no script, and is kept from the network.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [
        browser, "--headless", "--disable-gpu", *as_root, f"--user-data-dir={profile}", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", f"--print-to-pdf={made}", page.as_uri(),
    ]  # fmt: skip
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"{_PATIENCE_SECONDS} s"
    except OSError as error:
        return str(error.strerror)
    lines = result.stderr.strip().splitlines() or [f"exit {result.returncode}"]
    return lines[-1][:200]
