"""A real browser, for pages that people look at. One for each worker of the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

CONTRASTS = """() => {
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0)
  const rgb = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number)
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor)
      if (colour.length === 3 || colour[3] > 0) return colour
    }
    return [255, 255, 255]
  }
  const poor = []
  for (const element of document.querySelectorAll(".page *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    if (!own || !element.getClientRects().length || element.closest("title,.skip")) continue
    const style = getComputedStyle(element)
    const a = light(rgb(element.closest("svg") ? style.fill : style.color)), b = light(ground(element))
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05)
    const size = parseFloat(style.fontSize), big = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
    if (ratio < (big ? 3 : 4.5)) poor.push([element.textContent.slice(0, 40), ratio.toFixed(2)])
  }
  return poor
}"""
"""Texts that stand out too little from their ground, by WCAG 2 AA: as it is computed, for every text that is shown."""


@contextmanager
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


class Seen:
    """A page in the browser, and what it did on its own: `said` on the console, `asked` for beside itself."""

    def __init__(self, browser: Any, file: Path, width: int, lang: str, theme: str = "auto", scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        address = file.resolve().as_uri()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url) if request.url not in (address, "data:,") else None)
        self.page.goto(address)
        self.page.locator(f"label[for=lang-{lang}]").click()
        self.page.locator(f"label[for=theme-{theme}]").click()

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    @property
    def poor_contrasts(self) -> list[list[str]]:
        return list(self.page.evaluate(CONTRASTS))

    def close(self) -> None:
        self.context.close()
