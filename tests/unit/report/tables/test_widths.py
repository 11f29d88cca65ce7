import json

from report_experiment import Experiment, page_of

from spikernel.report.charts import layers_figure, score_figure
from spikernel.report.tables import models, selection
from spikernel.report.tables.records import Metrics, named


def test_the_widths_of_a_cell_are_models_of_their_own(experiment: Experiment) -> None:
    experiment.make_curve()
    # 1.1, 4.2 and 9.8 M parameters of 4 bytes, the first of them of half the width.
    out = experiment.tables(memory_budgets_mb=[5, 20, 40])
    chosen = selection.read(out / "selection.csv")
    assert chosen[["kernel_set", "rank", "width"]].to_numpy().tolist() == [
        ["k1-3", 1, 0.5],
        ["k1-3", 1, 1],
        ["design-1", 1, 1],
    ]
    numbers = json.loads((out / "headline.json").read_text())["cifar10"]
    assert numbers["models"] == 4
    assert numbers["within_5_mb"]["width"] == 0.5
    assert "width" not in numbers["within_20_mb"]
    text = (out / "summary.md").read_text(encoding="utf-8")
    assert "| k1-3 rank 1 width 0.5 |" in text
    assert "| width |" in text
    assert "Ranks order cells, all at width 1." in text
    means = models.over_seeds(models.read(out / "models.csv"))
    own = means[means["kernel_set"] == "k1-3"]
    assert own[["rank", "width", "params", "seeds"]].to_numpy().tolist() == [
        [1, 0.5, 1_100_000, 2],
        [1, 1, 4_200_000, 2],
    ]
    # The score is that of the cell: it is set against the accuracy at the width of the search.
    scored = score_figure.table(means, score_figure.read_candidates(experiment.candidates))
    assert scored.loc[scored["kernel_set"] == "k1-3", "params"].tolist() == [4_200_000]
    rates = layers_figure.table([Metrics.read(path) for path in experiment.metrics])
    assert "k1-3 rank 1 width 0.5" in layers_figure.grid(rates).index


def test_the_page_names_and_links_each_width(experiment: Experiment) -> None:
    experiment.make_curve()
    page = page_of(experiment, memory_budgets_mb=[5, 40])
    assert "k1-3 {1, 3}, width 0.5" in page
    assert "k1-3 rank 1 width 0.5" in page
    assert "train_final/k1-3/rank-1_width-0.5/seed-1/model.safetensors" in page
    assert "export-k1-3-rank-1_width-0.5/export.json" in page


def test_without_widths_nothing_is_said_of_them(experiment: Experiment) -> None:
    text = (experiment.tables() / "summary.md").read_text(encoding="utf-8")
    assert "| width |" not in text
    assert "at width 1" not in text


def test_keys_in_words() -> None:
    assert named(("digits", "k1-3", 1, 0.5, 2)) == "digits k1-3 rank 1 width 0.5 seed 2"
    assert named(("digits", "k1-3", 1, 1.0)) == "digits k1-3 rank 1"
    assert named(("digits", "k1-3")) == "digits k1-3"
