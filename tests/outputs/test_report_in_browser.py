"""report.html as a person sees it, in a real browser: both languages, wide and narrow, light and dark, on paper and by keyboard."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.jobs.months import months
from aggregator.model.options import Options
from aggregator.reports.months import months_page
from tests.conftest import NOW, Runner, row
from tests.market import line_of, run_market
from tests.orders import CUSTOMS, priced, run_orders
from tests.outputs.browser import Seen, browser

pytestmark = pytest.mark.long
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run with much of everything, and names that would act."""
    runner = Runner(tmp_path_factory.mktemp("report"))
    rows = [row(inventory_no=f"{number:018d}", order_no=f"D{number}", waybill_no=f"W{number}", consignor_name=EVIL, arrival_country_code=("502", "303", "304")[number % 3],
                cleared_at=f"2026-10-{number % 31 + 1:02d} 10:00:00", goods_name=f"{'long ' * 20}{number % 90}{EVIL}", item_no="1") for number in range(1, 400)]  # fmt: skip
    rows += [row(inventory_no=f"{number:018d}", order_no="", trade_mode_code="0110" if number % 2 else "9610", goods_name="" if number % 2 else EVIL * 9,
                 transport_mode_code=EVIL) for number in range(1000, 1040)]  # fmt: skip
    outcome = runner.run(runner.write(rows, f"{'x' * 60}.csv"))
    return Path(outcome.folder) / "report.html"


@pytest.fixture(scope="module")
def all_months(report: Path) -> Path:
    """The page of all periods, of the same ledger."""
    target = report.parents[3] / "months.html"
    found = months(Options(out=report.parents[2]).for_status(0), NOW.date())
    target.write_text(months_page(found, target, "2026-11-05 09:00", "zh"), encoding="utf-8")
    return target


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_months_is_as_sound(chromium: Any, all_months: Path, tmp_path: Path, width: int, lang: str) -> None:
    seen = Seen(chromium, all_months, width, lang, "dark" if width == 390 else "light")
    seen.page.screenshot(path=tmp_path / f"months-{width}-{lang}.png", full_page=True)
    assert seen.overflow <= 0
    assert seen.said == seen.asked == seen.poor_contrasts == []
    assert seen.page.locator(".values").first.bounding_box()["width"] > 250 or width > 640, "a value beside the other"
    seen.page.locator("a[href$='report.html']").first.click()
    assert seen.page.locator("#findings").count() == 1
    seen.close()


@pytest.fixture(scope="module")
def of_other_modes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    orders, slips = (Runner(tmp_path_factory.mktemp(name)) for name in ("orders", "slips"))
    made = [
        run_orders(orders, [priced(f"{number}00", order_no=f"B{number}") for number in range(1, 30)], customs=CUSTOMS),
        run_market(slips, [line_of("100", trade_slip_no=f"T{number}", goods_name="" if number % 5 == 0 else "玩具") for number in range(1, 30)]),
    ]
    return [Path(outcome.folder) / "report.html" for outcome in made]


@pytest.mark.parametrize("width", [390, 1280])
def test_reports_of_other_modes_are_as_sound(chromium: Any, of_other_modes: list[Path], width: int) -> None:
    for report in of_other_modes:
        for lang in ("en", "zh"):
            seen = Seen(chromium, report, width, lang)
            assert seen.overflow <= 0
            assert seen.said == seen.asked == seen.poor_contrasts == []
            assert seen.page.locator(".form").count() > 0
            seen.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_it_fits_asks_for_nothing_and_says_nothing(chromium: Any, report: Path, tmp_path: Path, width: int, lang: str) -> None:
    seen = Seen(chromium, report, width, lang)
    seen.page.screenshot(path=tmp_path / f"{width}-{lang}.png", full_page=True)
    assert seen.overflow <= 0
    assert seen.said == []
    assert seen.asked == []
    seen.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("theme", "scheme"), [("auto", "light"), ("auto", "dark"), ("dark", "light"), ("light", "dark")])
def test_every_text_can_be_read(chromium: Any, report: Path, lang: str, theme: str, scheme: str) -> None:
    seen = Seen(chromium, report, 1280, lang, theme, scheme)
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert seen.poor_contrasts == []
    paper = seen.page.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (theme == "light" or (theme, scheme) == ("auto", "light"))
    seen.close()


def test_why_inventories_are_excluded_is_read_on_a_phone(chromium: Any, report: Path) -> None:
    seen = Seen(chromium, report, 390, "zh")
    assert seen.page.locator(".reasons td:nth-child(3)").first.bounding_box()["width"] > 250
    seen.close()


def test_one_language_is_shown(chromium: Any, report: Path) -> None:
    for lang, other in (("en", "zh"), ("zh", "en")):
        seen = Seen(chromium, report, 1280, lang)
        assert seen.page.locator(f"span[lang={lang}]:visible").count() > 100
        assert seen.page.locator(f"span[lang={other}]:visible").count() == 0
        seen.close()


def test_it_is_read_without_script(chromium: Any, report: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    page.locator("label[for=lang-zh]").click()
    assert page.locator("h1 [lang=zh]").is_visible()
    assert not page.locator("h1 [lang=en]").is_visible()
    context.close()


def test_the_keyboard_reaches_everything(chromium: Any, report: Path) -> None:
    seen = Seen(chromium, report, 1280, "en")
    seen.page.locator("#lang-en").focus()
    seen.page.keyboard.press("ArrowUp")
    assert seen.page.locator("h1 [lang=zh]").is_visible()
    reached = set()
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        reached.add(seen.page.evaluate("(e => e.className + '|' + e.tagName + '|' + (e.getAttribute('href') || ''))(document.activeElement)"))
    assert {"skip|A|#main", "|A|#findings"} <= reached
    assert any(each.startswith("scroll|DIV") for each in reached)
    assert any("|SUMMARY|" in each for each in reached)
    seen.close()


def test_drawings_are_named(chromium: Any, report: Path) -> None:
    seen = Seen(chromium, report, 1280, "zh")
    names = seen.page.evaluate("[...document.querySelectorAll('svg:not([aria-hidden])')].map(s => document.getElementById(s.getAttribute('aria-labelledby'))?.innerText)")
    assert len(names) >= 6
    assert all(names)
    ids = seen.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert all(seen.page.evaluate("[...document.querySelectorAll('[aria-labelledby]')].map(e => !!document.getElementById(e.getAttribute('aria-labelledby')))"))
    for href in seen.page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))"):
        assert (href[1:] in ids) if href.startswith("#") else (report.parent / href).exists(), href
    seen.close()


def test_it_prints_on_a4_with_a_form_to_a_page(chromium: Any, report: Path, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    seen = Seen(chromium, report, 1280, "zh")
    seen.page.emulate_media(media="print")
    sizes_of_text = seen.page.evaluate("['.form', '.form table'].map(each => getComputedStyle(document.querySelector(each)).fontSize)")
    assert sizes_of_text[0] == sizes_of_text[1]
    seen.page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    seen.close()
    pages = pypdf.PdfReader(tmp_path / "report.pdf").pages
    sizes = {tuple(sorted((round(float(page.mediabox.width)), round(float(page.mediabox.height))))) for page in pages}
    assert sizes == {(595, 842)}
    forms = [page for page in pages if page.mediabox.width > page.mediabox.height]
    assert "无脚本" not in pages[-1].extract_text(), "no page for a line that says nothing on paper"
    assert all("海关出" in unicodedata.normalize("NFKC", page.extract_text()) for page in forms[:1])
    assert 0 < len(forms) < len(pages)
