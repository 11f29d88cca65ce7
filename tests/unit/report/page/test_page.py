"""The page: whole, valid, self-contained, and safe with any name."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from report_experiment import ARCHIDS, Experiment, change, page_of, with_accuracy, write_json

from spikernel import cli, code
from spikernel.errors import TableError
from spikernel.report.charts import style
from spikernel.report.page import page, page_tables
from spikernel.report.tables import intervals, models
from spikernel.report.tables.records import KernelSets

SET = {"name": "k1-3", "origin": "baseline", "evidence_percent": 1.0, "cost": 1.0, "reason": "-"}
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Checker(HTMLParser):
    """Collects tags, ids and links, and notes every tag that closes out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.targets: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.targets.append((tag, name, value or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def check(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker


@pytest.fixture(scope="module")
def html(reported: Path) -> str:
    return (reported / "report.html").read_text(encoding="utf-8")


def test_tags_are_balanced_and_ids_unique(html: str) -> None:
    checker = check(html)
    assert checker.faults == []
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))


def test_the_page_needs_nothing_but_itself(html: str) -> None:
    checker = check(html)
    assert not checker.tags & {"iframe", "object"}
    for tag, name, value in checker.targets:
        if tag == "img":
            assert value.startswith("data:image/png;base64,")
        elif value.startswith("#"):
            assert value[1:] in checker.ids
        elif tag == "link":
            assert value == "data:,"  # keeps browsers from asking for an icon
        else:
            assert (tag, name) == ("a", "href")
            assert not re.match(r"\w+:|/", value), f"{value} is not relative to the page"
    own = html.split("<script")[0]
    assert "@import" not in html
    for inner in re.findall(r"url\(([^)]*)\)", own):
        assert inner.startswith("#")
        assert inner[1:] in checker.ids
    assert "http://" not in own
    assert "https://" not in own


def test_links_beside_the_page_lead_to_files(html: str, reported: Path) -> None:
    links = {value for tag, _, value in check(html).targets if tag == "a" and value[0] != "#"}
    assert "comparisons.csv" in links
    figures = {link for link in links if link.startswith("figures/")}
    assert len(figures) == 9 * 4
    for link in figures:
        assert (reported / link).is_file()
    model = "../results/trial/cifar10/train_final/k1-3/rank-1/seed-1/"
    assert {link for link in links if link.startswith(model)} == {
        model + name
        for name in ("model.safetensors", "metrics.json", "history.csv", "provenance.json")
    }
    assert (reported / model / "metrics.json").is_file()


def test_light_dark_and_narrow_screens(html: str) -> None:
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert "overflow-x: auto" in html
    # Ink and ground of the inline figures follow the scheme.
    pictures = "".join(re.findall(r"<svg.*?</svg>", html.split("<script")[0], flags=re.DOTALL))
    assert "var(--ink)" in pictures
    assert "#ffffff" not in pictures


def test_every_part_is_there(html: str) -> None:
    for archid in ARCHIDS.values():
        assert archid in html
    sections = (
        *("tradeoff", "result", "selection", "images", "cells", "impact", "sets", "search"),
        *("score", "curves", "firing", "models", "published", "compute", "provenance", "reading"),
    )
    for section in sections:
        assert f'<section id="{section}">' in html
    # Two data sets: trade-off, impact, search, score and curves for each.
    assert html.count("<figure>") == 2 * 5
    assert html.count('<svg class="cell"') == len(ARCHIDS) * 2
    assert "Best mean accuracy of the two controls." in html
    assert "arXiv 2404.01685" in html
    assert "iso_parameter" in html


def test_the_page_says_what_the_test_images_can_say(experiment: Experiment) -> None:
    page = page_of(experiment, memory_budgets_mb=[40.0])
    assert "<title>trial: accuracy and memory" in page
    assert "<h1>trial: accurate spiking networks" in page
    low, high = intervals.wilson(pd.Series([91.5]), pd.Series([1000]))
    assert f"1,000 test images: 95 % interval {low[0]:.1f}–{high[0]:.1f} %." in page
    # By five images design-1 rank 2 is not told apart from the chosen rank 1, all others are.
    assert "do not tell it apart from 1 of the 3 other models" in page
    assert "<dt>Test images do not tell it apart from</dt><dd>design-1 rank 2</dd>" in page
    assert "none of the other models" in page
    assert ">at chance" not in page


def test_a_model_at_chance_is_not_a_result(experiment: Experiment) -> None:
    for place in range(len(experiment.metrics)):
        with_accuracy(experiment, place, 11.0)
    page = page_of(experiment, memory_budgets_mb=[40.0])
    said = "It is not shown to be better than guessing the largest class, which reaches 10 %."
    assert said in page
    assert page.count('class="badge warn">at chance') == len(ARCHIDS)


def test_what_misleads_in_the_images_stands_under_the_headline(experiment: Experiment) -> None:
    place = experiment.folder / "results" / "trial" / "cifar10" / "prepare_data" / "findings.json"
    equal = {"train/test": {"count": 25, "pairs": []}}
    write_json(place, {"equal_images": equal, "classes_without_images": {}})
    experiment.findings.append(place)
    said = "25 test images equal a training image in every pixel."
    page = page_of(experiment, memory_budgets_mb=[40.0])
    assert page.count(said) == 1
    assert page.index("cifar10") < page.index(said)


def test_sets_are_ranked_with_the_baseline_among_them(experiment: Experiment) -> None:
    design = KernelSets.read(experiment.kernel_sets[0])
    means = models.over_seeds(models.read(experiment.tables() / "models.csv"))
    ((_, table),) = page_tables.kernel_sets([design], means)
    # The best models have validation accuracies of 92.5 (design-1) and 91 (k1-3, the baseline).
    assert [row[0] for row in table.rows] == ["design-1", "k1-3"]
    assert list(table.marked) == [1]
    # Files of older versions do not say the place.
    assert [row[5] for row in table.rows] == ["1", "–"]
    untrained = page_tables.kernel_sets([design], means[means["kernel_set"] == "k1-3"])[0][1]
    assert [row[0] for row in untrained.rows] == ["k1-3", "design-1"]
    assert untrained.rows[1][6:9] == ("–", "–", "–")


def test_names_are_escaped(experiment: Experiment) -> None:
    change(experiment.kernel_sets[0], rule="<script>alert('rule')</script> & more")
    for path in (*experiment.metrics[:2], *experiment.deployments[:2]):
        change(path, archid="<b>bold</b>")
    page = page_of(experiment)
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert check(page).faults == []


def test_no_model_in_any_budget(experiment: Experiment) -> None:
    page = page_of(experiment, memory_budgets_mb=[0.5])
    assert "No trained model fits a memory budget: the smallest needs 4.4 MB." in page


def test_no_older_page_stays_beside_new_tables(experiment: Experiment) -> None:
    page = experiment.tables() / "report.html"
    page.write_text("of other tables")
    experiment.tables()
    assert not page.exists()


def test_the_headline_names_the_least_budget_that_selects_its_model(
    experiment: Experiment,
) -> None:
    page = page_of(experiment, memory_budgets_mb=[1.0, 10.0, 40.0, 100.0])
    assert "within a budget of 40 MB" in page
    assert "within a budget of 100 MB" not in page


def test_a_model_of_more_than_five_steps_is_no_headline(experiment: Experiment) -> None:
    for path in experiment.metrics:
        change(path, binary_steps=8)
    page = page_of(experiment, memory_budgets_mb=[40.0])
    assert "The model within a budget of 40 MB runs 8 steps of binary spikes" in page
    assert "test accuracy in 39.2 MB of weights" not in page


def test_inputs_of_different_runs_are_refused(experiment: Experiment) -> None:
    experiment.tables()
    change(experiment.kernel_sets[0], sets=[{**SET, "sizes": [1, 7]}])
    with pytest.raises(TableError, match=r"k1-3 on cifar10 has sizes 1 7 .* and 1 3 in models"):
        page_of(experiment)


def test_parts_without_input_are_left_out(experiment: Experiment) -> None:
    experiment.impacts, experiment.kernel_sets, experiment.histories = [], [], []
    page = page_of(experiment)
    for section in ("impact", "sets", "curves"):
        assert f'href="#{section}"' not in page
        assert f'<section id="{section}">' not in page
    assert check(page).faults == []


def test_scripts_run_from_the_command_line(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(style, "FORMATS", {"svg": style.FORMATS["svg"]})
    scripts = Path(__file__).parents[4] / "scripts"
    monkeypatch.syspath_prepend(str(scripts))
    import tradeoff_report
    import tradeoff_table

    files = ("models.csv", "selection.csv", "comparisons.csv", "s.md")
    names = {name: str(tmp_path / "o" / name) for name in files}
    deployed = [
        *("--deployments", *map(str, experiment.deployments)),
        *("--predictions", *map(str, experiment.predictions)),
    ]
    searches = ["--searches", *map(str, experiment.searches)]
    cli.run(
        tradeoff_table.run,
        ["--metrics", *map(str, experiment.metrics), *searches, "--settings", "{precision: int8}",
         *deployed, "--comparisons", names["comparisons.csv"],
         "--models", names["models.csv"], "--selection", names["selection.csv"],
         "--summary", names["s.md"], "--tables", str(tmp_path / "o" / "tables")],
    )  # fmt: skip
    cli.run(
        tradeoff_report.run,
        ["--models", names["models.csv"], "--selection", names["selection.csv"],
         *deployed, "--comparisons", names["comparisons.csv"], "--experiment", "trial",
         "--metrics", *map(str, experiment.metrics),
         "--provenance", *map(str, experiment.provenance),
         "--candidates", *map(str, experiment.candidates),
         "--impacts", *map(str, experiment.impacts), *searches,
         "--kernel-sets", *map(str, experiment.kernel_sets),
         "--histories", *map(str, experiment.histories), "--settings", "{precision: int8}",
         "--page", str(tmp_path / "o" / "report.html"), "--figures", str(tmp_path / "o" / "f")],
    )  # fmt: skip
    assert (tmp_path / "o" / "provenance_report.json").exists()
    assert "(int8)" in (tmp_path / "o" / "f" / "accuracy_vs_memory.svg").read_text("utf-8")


def test_the_report_depends_on_every_file_of_the_page() -> None:
    folder = Path(page.__file__).parent
    expected = {path for path in folder.iterdir() if path.suffix in (".j2", ".css", ".js")}
    assert len(expected) == 9
    assert expected <= code.reached("tradeoff_report")


def test_the_report_needs_no_torch() -> None:
    import subprocess

    code = "import sys, tradeoff_report, tradeoff_table; sys.exit('torch' in sys.modules)"
    scripts = Path(__file__).parents[4] / "scripts"
    assert subprocess.run([sys.executable, "-c", code], cwd=scripts).returncode == 0
