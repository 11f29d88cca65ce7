"""The page in a real browser: no fault, no request, and every control does what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from browser import Watched, chromium
from playwright.sync_api import Browser, Page
from report_experiment import ARCHIDS, deploy, make, quantise

from spikernel.report.tables import models, selection


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def means(reported: Path) -> pd.DataFrame:
    return models.over_seeds(models.read(reported.with_name("out") / "models.csv"))


@pytest.fixture(scope="module")
def opened(browser: Browser, reported: Path) -> Watched:
    return Watched(browser, reported / "report.html")


@pytest.fixture
def page(opened: Watched) -> Iterator[Page]:
    """The page as it opens, without loading it anew."""
    page = opened.page
    page.select_option("#dataset", "cifar10")
    page.select_option("#cost", "memory_fp32")
    page.uncheck("#published-shown")
    yield page
    assert opened.faults == []
    assert opened.requests == []


def shown_model(page: Page) -> str:
    return page.inner_text("#card .archid")


def drawn(page: Page) -> list[dict[str, Any]]:
    """Return the data of the models' points in the chart."""
    rows: list[dict[str, Any]] = page.evaluate(
        "[...document.querySelectorAll('#chart path')].map(mark => mark.__data__?.datum)"
        ".filter(row => row?.kind == 'measured')"
    )
    return rows


def signal(page: Page, name: str) -> Any:
    return page.evaluate(f"window.tradeoff.signal('{name}')")


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("dataset", ["cifar10", "digits"])
def test_the_budget_selects_what_the_library_selects(
    page: Page, means: pd.DataFrame, dataset: str, precision: str
) -> None:
    page.select_option("#dataset", dataset)
    page.select_option("#precision", precision)
    memories = sorted(means.loc[means["dataset"] == dataset, f"memory_mb_{precision}"])
    budgets = [0.9 * memories[0], *memories, *(1.01 * memory for memory in memories)]
    chosen = selection.select(means, budgets, precision)
    for row in chosen[chosen["dataset"] == dataset].to_dict("records"):
        page.fill("#budget-mb", str(row["budget_mb"]))
        verdict = page.inner_text("#verdict")
        if row["fits"]:
            assert verdict.endswith(f"{row['kernel_set']} rank {row['rank']}.")
            assert shown_model(page) == row["archid"]
        else:
            assert verdict.startswith("No model fits")


def test_it_opens_with_the_model_of_the_headline(page: Page) -> None:
    """The last two budgets select the same model; the lesser one is shown."""
    for dataset in ("digits", "cifar10"):
        page.select_option("#dataset", dataset)
        headline = page.inner_text(f".headlines li:has(h3:text-is('{dataset}'))")
        assert shown_model(page) in headline
        assert f"within a budget of {page.input_value('#budget-mb')} MB" in headline


def test_the_chart_is_above_the_fold(browser: Browser, reported: Path) -> None:
    watched = Watched(browser, reported / "report.html", width=1400)
    for element in ("#chart svg", "#budget"):
        box = watched.page.locator(element).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
    title = watched.page.locator("#chart .role-title-text").bounding_box()
    assert title is not None
    assert title["y"] + title["height"] <= 900
    assert watched.page.is_visible(".legend >> text=Pareto front")
    watched.page.context.close()


@pytest.mark.parametrize("wrong", ["-1", "0", ""])
def test_a_budget_must_be_above_zero(page: Page, wrong: str) -> None:
    page.fill("#budget-mb", "40")
    chosen = shown_model(page)
    page.fill("#budget-mb", wrong)
    assert page.inner_text("#verdict") == "A budget is a number of MB above 0."
    assert page.get_attribute("#budget-mb", "aria-invalid") == "true"
    assert shown_model(page) == chosen
    assert signal(page, "budget") == 40
    page.fill("#budget-mb", "40")
    assert page.get_attribute("#budget-mb", "aria-invalid") is None


def test_a_budget_can_be_typed_digit_by_digit(page: Page) -> None:
    page.fill("#budget-mb", "")
    page.locator("#budget-mb").press_sequentially("1.05")
    assert page.input_value("#budget-mb") == "1.05"
    assert signal(page, "budget") == 1.05


def test_a_link_restores_the_view(page: Page, browser: Browser, reported: Path) -> None:
    page.select_option("#cost", "parameters")
    page.select_option("#precision", "int8")
    page.fill("#budget-mb", "4.5")
    page.select_option("#model", label="k1-3 rank 2")
    page.check("#published-shown")
    link = page.get_attribute("#view-link", "href") or ""
    again = Watched(browser, reported / "report.html")
    again.page.goto(f"{(reported / 'report.html').resolve().as_uri()}{link}")
    values = {"#dataset": "cifar10", "#cost": "parameters", "#precision": "int8"}
    for control, value in {**values, "#budget-mb": "4.5"}.items():
        again.page.wait_for_function(
            "([control, value]) => document.querySelector(control).value === value",
            arg=[control, value],
        )
    assert shown_model(again.page) == ARCHIDS["k1-3", 2]
    assert again.page.is_checked("#published-shown")
    assert again.page.get_attribute("#view-link", "href") == link
    again.page.evaluate("location.hash = '#data=unknown&budget=40&weights=fp32'")
    again.page.wait_for_function("document.getElementById('precision').value === 'fp32'")
    assert shown_model(again.page) == ARCHIDS["design-1", 1]
    assert again.faults == []
    again.page.context.close()


def test_models_that_are_not_told_apart_are_ringed(page: Page) -> None:
    page.fill("#budget-mb", "40")
    names = {row["model"]: row["name"] for row in drawn(page)}
    assert [names[place] for place in signal(page, "alike")] == ["design-1 rank 2"]
    assert page.is_visible("#alike-key")
    page.select_option("#model", label="k1-3 rank 1")
    assert signal(page, "alike") == []
    assert page.is_hidden("#alike-key")
    assert page.inner_text("#chance-key") == "chance: 10 %, below the chart"


def test_points_have_their_names(page: Page) -> None:
    texts = page.eval_on_selector_all(
        "#chart text", "list => list.map(text => text.textContent).filter(text => text)"
    )
    for name in ("k1-3 #1", "k1-3 #2", "design-1 #1", "design-1 #2"):
        assert name in texts


@pytest.mark.parametrize("width", [1440, 485])
def test_a_value_that_is_too_long_stands_below_its_term(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    short, long = page.eval_on_selector(
        "#card .facts",
        """list => {
          const row = list.firstElementChild.cloneNode(true);
          list.append(row);
          row.firstChild.textContent = 'C, int8, on cortex-m3';
          row.lastChild.textContent = 'many words '.repeat(20);
          const found = [list.firstElementChild, row].map(part => {
            const [term, value] = [...part.children].map(item => item.getBoundingClientRect());
            return {lines: term.height, below: value.top >= term.bottom};
          });
          row.remove();
          return found;
        }""",
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    assert (short["below"], long["below"]) == (False, True)
    assert long["lines"] == short["lines"]


def test_tables_sort_by_their_numbers(page: Page) -> None:
    def column(place: int) -> list[str]:
        cells: list[str] = page.eval_on_selector_all(
            f"#models > .scroll:last-child tbody td:nth-child({place + 1})",
            "list => list.map(cell => cell.textContent)",
        )
        return cells

    heading = "#models th:has-text('parameters') button"
    place = page.eval_on_selector(heading, "button => button.parentElement.cellIndex")
    before = column(place)
    page.click(heading)
    numbers = [int(text.replace(",", "")) for text in column(place)]
    assert numbers == sorted(numbers, reverse=True)
    page.click(heading)
    assert column(place) == [f"{number:,}" for number in reversed(numbers)]
    assert page.get_attribute("#models th:has-text('parameters')", "aria-sort") == "ascending"
    # In the table of budgets the row of a budget that no model meets stays the last.
    page.click("#selection th:has-text('parameters') button")
    last = page.inner_text("#selection tbody tr:last-child")
    assert "none fits" in last
    assert sorted(before) == sorted(column(place))


@pytest.mark.parametrize("width", [1400, 1440])
def test_no_table_overflows_its_frame(browser: Browser, reported: Path, width: int) -> None:
    watched = Watched(browser, reported / "report.html", width=width)
    wide = watched.page.eval_on_selector_all(
        "section .scroll",  # a card is narrower than the table of its layers
        "list => list.filter(frame => !frame.closest('.card') && frame.clientWidth"
        " && frame.scrollWidth > frame.clientWidth)"
        ".map(frame => frame.getAttribute('aria-label'))",
    )
    assert wide == []
    watched.page.context.close()


def test_the_slider_selects_at_several_places(page: Page, means: pd.DataFrame) -> None:
    seen = set()
    for position in (0, 150, 400, 600, 800, 1000):
        page.evaluate(
            "([slider, value]) => { slider = document.getElementById(slider); slider.value = value;"
            " slider.dispatchEvent(new Event('input')); }",
            ["budget", position],
        )
        budget = float(page.input_value("#budget-mb"))
        assert signal(page, "budget") == budget
        row = selection.select(means, [budget], "fp32").iloc[0]
        if row["fits"]:
            assert shown_model(page) == row["archid"]
        else:
            assert "No model fits" in page.inner_text("#verdict")
        seen.add(row["archid"])
    assert len(seen) >= 3
    assert "MB" in (page.get_attribute("#budget", "aria-valuetext") or "")


def test_a_button_sets_a_budget_of_the_configuration(page: Page) -> None:
    page.click("button[data-budget='40.0']")
    assert page.input_value("#budget-mb") == "40"
    assert shown_model(page) == ARCHIDS["design-1", 1]


def test_a_device_is_named_in_kb_of_flash_or_of_ram(browser: Browser, tmp_path: Path) -> None:
    made = make(tmp_path, ["digits"])
    quantise(made, 8)
    deploy(made)
    with patch("spikernel.report.charts.figures.write", return_value=[]):
        path = made.report(flash_budgets_kb=[32], ram_budgets_kb=[8, 64]) / "report.html"
    watched = Watched(browser, path)
    page = watched.page
    page.select_option("#cost", "memory_ram")
    assert page.input_value("#precision") == "ram"
    assert "Int8 test accuracy in %" in page.inner_text("#chart")
    shown = page.locator("[data-budget]:visible")
    assert shown.all_inner_texts() == ["8 kB", "64 kB"]
    shown.first.click()
    verdict = "No model fits 8 kB (RAM): the smallest needs 9 kB."
    assert page.inner_text("#verdict") == verdict
    page.fill("#budget-mb", "9")
    assert shown_model(page) == ARCHIDS["k1-3", 2]
    assert {row["memory_ram"] for row in drawn(page)} == {9, 10, 11, 12}
    page.select_option("#precision", "flash")
    assert page.input_value("#cost") == "memory_flash"
    assert shown.all_inner_texts() == ["32 kB"]
    # Flash and RAM at once: 25 kB and 10, 30 and 9 of equal accuracy, and two larger models.
    assert page.is_visible("#other-kb")
    best, both = "Best by int8 validation accuracy within", "26 kB (flash) and 9 kB (RAM)"
    for flash, ram, expected in (
        (100, "", f"{best} 100 kB (flash): k1-3 rank 1."),
        (100, "9", f"{best} 100 kB (flash) and 9 kB (RAM): k1-3 rank 2."),
        (26, "9", f"No model fits {both}: the smallest within 9 kB (RAM) needs 30 kB."),
        (26, "8", "No model fits 8 kB (RAM): the smallest needs 9 kB."),
        (26, "0", "A budget is a number of kB above 0."),
        (30, "9", f"{best} 30 kB (flash) and 9 kB (RAM): k1-3 rank 2."),
    ):
        page.fill("#budget-mb", str(flash))
        page.fill("#other-kb", ram)
        assert page.inner_text("#verdict") == expected
    assert signal(page, "other") == "ram"
    assert signal(page, "other_budget") == 9
    page.select_option("#precision", "ram")
    assert page.input_value("#budget-mb") == "9"
    assert page.input_value("#other-kb") == "30"
    assert shown_model(page) == ARCHIDS["k1-3", 2]
    assert "other=30" in (page.get_attribute("#view-link", "href") or "")
    page.select_option("#precision", "fp32")
    assert page.is_hidden("#other-kb")
    title = page.locator("#chart text:text('accuracy in %')")
    assert title.all_text_contents() == ["Test accuracy in %"]
    assert watched.faults == []
    page.context.close()


def test_the_chosen_model_names_its_files(page: Page) -> None:
    page.fill("#budget-mb", "40")
    links = page.eval_on_selector_all(
        "#card .paths a", "list => list.map(a => a.getAttribute('href'))"
    )
    folder = "../results/trial/cifar10/train_final/design-1/rank-1/"
    assert f"{folder}seed-0/model.safetensors" in links
    assert f"{folder}seed-1/model.safetensors" in links
    assert page.is_visible("#card .paths a >> nth=0")


def test_every_cost_shows_every_model(page: Page, means: pd.DataFrame) -> None:
    own = means[means["dataset"] == "cifar10"]
    expected = {
        "memory_fp32": own["memory_mb_fp32"],
        "memory_int8": own["memory_mb_int8"],
        "parameters": own["params"] / 1e6,
        "energy": own["energy_pj_mean"] / 1e6,
        "synops": own["effective_synops_mean"] / 1e6,
    }
    for cost, values in expected.items():
        page.select_option("#cost", cost)
        points = {row["model"]: row["x"] for row in drawn(page)}
        assert points == pytest.approx(dict(enumerate(values.tolist())))
        assert signal(page, "x_title") in page.inner_text("#chart")


def test_memory_in_a_format_is_looked_at_with_budgets_in_it(page: Page) -> None:
    page.select_option("#cost", "memory_int8")
    assert page.input_value("#precision") == "int8"
    page.select_option("#precision", "fp16")
    assert page.input_value("#cost") == "memory_fp16"
    page.select_option("#cost", "energy")
    page.select_option("#precision", "fp32")
    assert page.input_value("#cost") == "energy"


def test_published_values_are_switched_and_marked(page: Page) -> None:
    labels = "#chart [aria-label='QKFormer']"
    assert page.locator(labels).count() == 0
    assert page.is_hidden("#published-key")
    before = signal(page, "x_high")
    page.check("#published-shown")
    page.wait_for_selector(labels, state="attached")
    assert page.is_visible("#published-key")
    assert signal(page, "x_high") > before
    page.hover(labels)
    assert "Published value, not measured here." in page.inner_text("#tip")
    page.select_option("#cost", "energy")
    assert page.locator(labels).count() == 0  # no paper states it


def test_hovering_shows_the_cell_and_a_click_keeps_it(page: Page) -> None:
    page.fill("#budget-mb", "100")
    point = "#chart path[aria-label='k1-3 rank 2']"
    page.hover(point)
    picture = page.get_attribute("#tip svg.cell", "aria-label") or ""
    assert ARCHIDS["k1-3", 2] in picture
    assert "86.50" not in page.inner_text("#tip")  # its validation accuracy
    assert "85.50" in page.inner_text("#tip")  # its test accuracy
    page.click(point)
    assert shown_model(page) == ARCHIDS["k1-3", 2]
    assert page.input_value("#model") == page.evaluate("String(window.tradeoff.signal('model'))")
    page.keyboard.press("Escape")
    assert page.is_hidden("#tip")


def test_the_keyboard_reaches_every_model(page: Page) -> None:
    page.focus("#model")
    seen = set()
    page.keyboard.press("Home")
    for _ in ARCHIDS:
        seen.add(shown_model(page))
        page.keyboard.press("ArrowDown")
    assert seen == set(ARCHIDS.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_width_scrolls_sideways(
    browser: Browser, reported: Path, width: int, scheme: str
) -> None:
    watched = Watched(browser, reported / "report.html", width, scheme)
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    box = watched.page.locator("#chart svg").bounding_box()
    assert box is not None
    assert box["width"] <= width
    ground = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 17, 22)"}[scheme]
    assert watched.faults == []
    assert watched.requests == []
    watched.page.context.close()


def test_print_drops_what_only_a_screen_can_do(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.is_hidden("#controls")
    assert page.is_hidden("nav")
    assert page.is_visible("#chart svg")
    page.emulate_media(media="screen")


def test_without_script_the_static_figure_stands(browser: Browser, reported: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reported / "report.html").resolve().as_uri())
    assert page.is_visible("noscript figure >> nth=0")
    assert page.is_hidden("#explorer")
    context.close()
