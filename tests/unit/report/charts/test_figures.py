"""Static figures: formats, the numbers beside them, and the same bytes every time."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from report_experiment import Experiment, change

from spikernel.errors import TableError
from spikernel.report.charts import (
    costs,
    curves_figure,
    figures,
    impact_figure,
    style,
    tradeoff_figure,
)
from spikernel.report.tables import models, published

TRADE_OFFS = (
    *("accuracy_vs_memory", "accuracy_vs_parameters", "accuracy_vs_synops", "accuracy_vs_energy"),
)
NAMES = (
    *TRADE_OFFS,
    *("kernel_impact", "training_curves", "firing_rates", "search_cost", "score_vs_accuracy"),
)
MAGIC = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}


def looks_of(means: pd.DataFrame) -> style.Looks:
    return style.looks(sorted(means["kernel_set"].unique()))


@pytest.fixture
def means(experiment: Experiment) -> pd.DataFrame:
    return models.over_seeds(models.read(experiment.tables() / "models.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_three_formats_and_its_numbers(reported: Path, name: str) -> None:
    for suffix, start in MAGIC.items():
        assert (reported / "figures" / f"{name}.{suffix}").read_bytes().startswith(start)
    assert len(pd.read_csv(reported / "figures" / f"{name}.csv"))


def test_the_numbers_of_seeds_and_ranks_are_in_the_csv(reported: Path) -> None:
    curves = pd.read_csv(reported / "figures" / "training_curves.csv")
    assert set(curves["seed"]) == {0, 1}
    assert set(curves["rank"]) == {1, 2}


def test_one_and_zero_are_no_truth_values(tmp_path: Path, experiment: Experiment) -> None:
    table = pd.DataFrame({"seed": [0, 1], "width": [1.0, 1.0], "pareto": [True, False]})
    chart = figures.Chart(
        title="",
        table=table,
        draw=lambda _: impact_figure.draw(impact_figure.read(experiment.impacts)),
    )
    figures.write(tmp_path, {"any": chart})
    text = (tmp_path / "any.csv").read_text(encoding="utf-8")
    assert text == "seed,width,pareto\n0,1.0,true\n1,1.0,false\n"


def test_two_runs_give_the_same_bytes(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "FORMATS", {"svg": style.FORMATS["svg"]})
    first, second = experiment.report("first"), experiment.report("second")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(files) == 2 * len(NAMES) + 2
    for path in files:
        if not path.name.startswith("provenance"):
            assert (first / path).read_bytes() == (second / path).read_bytes(), path


def test_saving_twice_gives_the_same_bytes(means: pd.DataFrame, tmp_path: Path) -> None:
    table = tradeoff_figure.points(means, published.table([]), costs.PARAMETERS)
    first, second = (
        style.save(
            tradeoff_figure.draw(table, costs.PARAMETERS, looks_of(means)),
            tmp_path / name,
            "figure",
        )
        for name in ("a", "b")
    )
    assert len(first) == 3
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_no_date_and_no_machine_in_the_files(reported: Path) -> None:
    for path in (reported / "figures").iterdir():
        content = path.read_bytes()
        assert b"CreationDate" not in content
        assert b"dc:date" not in content


def drawn_points(table: pd.DataFrame, cost: costs.Cost) -> set[tuple[float, float]]:
    looks = style.looks(sorted(table.loc[table["kind"] == "measured", "label"].unique()))
    axes = tradeoff_figure.draw(table, cost, looks).axes[0]
    offsets = [
        tuple(float(number) for number in point)
        for collection in axes.collections
        if isinstance(collection, PathCollection)
        for point in collection.get_offsets()
    ]
    return {(round(x, 6), round(y, 6)) for x, y in offsets}


@pytest.mark.parametrize("cost", [costs.memory("fp32"), costs.PARAMETERS])
def test_the_csv_holds_exactly_what_is_drawn(means: pd.DataFrame, cost: costs.Cost) -> None:
    table = tradeoff_figure.points(means, published.table(["cifar10"]), cost)
    numbers = figures.as_drawn(table, cost)
    shown = numbers[numbers["kind"] != "reference"]
    listed = {
        (round(x, 6), round(y, 6))
        for x, y in zip(shown[cost.name], shown["test_accuracy_percent_mean"], strict=True)
    }
    assert drawn_points(table, cost) == listed
    assert len(listed) == 4 + 7


def test_the_front_is_a_step_through_its_models(means: pd.DataFrame) -> None:
    cost = costs.memory("fp32")
    table = tradeoff_figure.points(means, published.table([]), cost)
    axes = tradeoff_figure.draw(table, cost, looks_of(means)).axes[0]
    line = next(line for line in axes.lines if line.get_drawstyle() == "steps-post")
    assert list(line.get_xdata())[:-1] == pytest.approx([4.4, 16.8, 39.2])
    assert list(line.get_ydata()) == pytest.approx([85.5, 90.0, 91.5, 91.5])


@pytest.mark.parametrize("cost", [costs.ENERGY, costs.SYNOPS, costs.memory("fp32")])
def test_no_title_of_an_axis_is_cut_off(means: pd.DataFrame, cost: costs.Cost) -> None:
    table = tradeoff_figure.points(means, published.table([]), cost)
    figure = tradeoff_figure.draw(table, cost, looks_of(means))
    figure.draw_without_rendering()
    whole = figure.bbox
    for axes in figure.axes:
        title = axes.xaxis.label.get_window_extent()
        assert whole.x0 <= title.x0
        assert title.x1 <= whole.x1
        assert " ".join(axes.get_xlabel().split()) == cost.title


def test_intervals_and_chance_are_drawn(means: pd.DataFrame) -> None:
    cost = costs.memory("fp32")
    table = tradeoff_figure.points(means, published.table([]), cost)
    axes = tradeoff_figure.draw(table, cost, looks_of(means)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["chance 10 % lies below"]
    drawn = next(item for item in axes.collections if isinstance(item, LineCollection))
    ends = [segment[:, 1].tolist() for segment in drawn.get_segments()]
    own = table[["test_accuracy_percent_low", "test_accuracy_percent_high"]].dropna()
    assert ends == pytest.approx(own.to_numpy())
    weak = table.assign(test_accuracy_percent_low=5.0)
    axes = tradeoff_figure.draw(weak, cost, looks_of(means)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["chance 10 %"]
    assert any(set(line.get_ydata()) == {10.0} for line in axes.lines)
    axes = tradeoff_figure.draw(table.assign(chance_percent=99.9), cost, looks_of(means)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["chance 99.9 % lies above"]


def test_curves_have_a_panel_per_kernel_set(experiment: Experiment, means: pd.DataFrame) -> None:
    curves = curves_figure.read(experiment.histories)
    figure = curves_figure.draw(curves, looks_of(means))
    assert [axes.get_title("left") for axes in figure.axes] == ["design-1", "k1-3"]
    for axes in figure.axes:
        assert len(axes.lines) == 4  # all models, the own two in colour
        assert len({line.get_color() for line in axes.lines} - {style.GRID}) == 1
        assert axes.get_ylim()[1] > curves["val_accuracy_percent"].max()
        assert not axes.texts
    wide = curves[curves["rank"] == 1].assign(width=2.0)
    figure = curves_figure.draw(pd.concat([curves, wide]), looks_of(means))
    # Ranks 1 and 2 at width 1, and rank 1 at width 2.
    shown = [sorted(text.get_text() for text in axes.texts) for axes in figure.axes]
    assert shown == [["×1", "×1", "×2"]] * 2


@pytest.mark.parametrize("kernel_sets", [["k1-3"], ["design-1", "k1-3"]])
def test_the_legend_of_curves_is_within_the_figure(
    experiment: Experiment, means: pd.DataFrame, kernel_sets: list[str]
) -> None:
    curves = curves_figure.read(experiment.histories)
    shown = curves[curves["kernel_set"].isin(kernel_sets)]
    figure = curves_figure.draw(shown, looks_of(means))
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_error_bars_only_with_several_seeds(experiment: Experiment, means: pd.DataFrame) -> None:
    cost = costs.memory("fp32")
    looks = looks_of(means)
    table = tradeoff_figure.points(means, published.table([]), cost)
    assert len(tradeoff_figure.draw(table, cost, looks).axes[0].containers) == 4
    experiment.metrics = [path for path in experiment.metrics if "seed-0" in str(path)]
    one = models.over_seeds(models.read(experiment.tables() / "models.csv"))
    table = tradeoff_figure.points(one, published.table([]), cost)
    assert len(tradeoff_figure.draw(table, cost, looks).axes[0].containers) == 0


def test_the_bound_is_drawn_only_where_it_is_in_range(means: pd.DataFrame) -> None:
    cost = costs.memory("int8")
    table = tradeoff_figure.points(means, published.table([]), cost)
    assert table.loc[table["kind"] == "reference", "x"].tolist() == [10.0]
    small = means[means["params"] < 5_000_000]
    table = tradeoff_figure.points(small, published.table([]), cost)
    assert set(table["kind"]) == {"measured"}


def test_a_single_model_can_be_drawn(means: pd.DataFrame) -> None:
    cost = costs.PARAMETERS
    table = tradeoff_figure.points(means.head(1), published.table([]), cost)
    axes = tradeoff_figure.draw(table, cost, looks_of(means)).axes[0]
    assert len(axes.get_xticks()) >= 1


def test_series_differ_in_colour_and_in_marker() -> None:
    looks = style.looks([f"set-{place}" for place in range(10)])
    assert len({colour for colour, _ in looks.values()}) == 10
    assert len({marker for _, marker in looks.values()}) == 10
    assert len(set(style.looks([f"set-{place}" for place in range(40)]).values())) == 40


def test_published_results_are_absent_when_unwanted(
    experiment: Experiment, reported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "FORMATS", {"svg": style.FORMATS["svg"]})
    experiment.impacts = []
    without = experiment.report("without", published_points=False)
    assert not list((without / "figures").glob("kernel_impact*"))
    for name in TRADE_OFFS[:2]:
        kinds = set(pd.read_csv(reported / "figures" / f"{name}.csv")["kind"])
        assert "published" in kinds
        table = pd.read_csv(without / "figures" / f"{name}.csv")
        assert set(table["kind"]) == {"measured", "reference"}
    page = (without / "report.html").read_text(encoding="utf-8")
    assert "QKFormer" not in page
    assert 'id="published' not in page
    assert "ublished value" not in page.split("<script")[0]
    assert "QKFormer" in (reported / "report.html").read_text(encoding="utf-8")


def test_published_results_belong_to_data_sets_of_that_name() -> None:
    assert set(published.table(["digits", "cifar100"])["dataset"]) == {"cifar100"}
    assert len(published.table(["cifar10"], shown=False)) == 0
    paper = published.table(["cifar10", "cifar100", "tinyimagenet"])
    paper = paper[paper["system"] == "SpiKernel (paper)"]
    assert paper["test_accuracy_percent"].tolist() == [93.24, 70.84, 62.0]
    assert paper["params_is_upper_bound"].all()
    assert paper["params_m"].tolist() == [10, 10, 10]
    assert paper["time_steps"].isna().all()


def test_results_without_parameters_are_listed_and_not_drawn(means: pd.DataFrame) -> None:
    others = published.table(["cifar100"])
    assert "DSAS" in set(others["system"])
    table = tradeoff_figure.points(means, others, costs.PARAMETERS)
    assert "DSAS" not in set(table["label"])


def test_impact_numbers_and_faults(experiment: Experiment) -> None:
    path = experiment.impacts[0]
    table = impact_figure.read([path])
    assert table["control"].tolist() == ["plain"] * 4 + ["iso_parameter"] * 4
    assert table["kernel_size"].tolist() == [1, 3, 5, 7] * 2
    assert table["val_accuracy_percent_mean"].tolist()[:4] == [81, 83, 85, 87]
    with pytest.raises(TableError, match=r"kernel impact of size 1 .* is given twice"):
        impact_figure.read([path, path])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("plain", "odd"), encoding="utf-8")
    with pytest.raises(TableError, match="unknown control 'odd'"):
        impact_figure.read([path])


def test_impact_of_one_seed_has_no_bars(experiment: Experiment) -> None:
    path = experiment.impacts[0]
    path.write_text(path.read_text(encoding="utf-8").replace(",0.4,", ",,"), encoding="utf-8")
    table = impact_figure.read([path])
    assert table["val_accuracy_percent_sd"].isna().all()
    assert len(impact_figure.draw(table).axes[0].containers) == 0


def test_the_legend_of_kernel_impact_names_what_is_drawn(experiment: Experiment) -> None:
    table = impact_figure.read(experiment.impacts[:1])

    def named(part: pd.DataFrame) -> list[str]:
        (legend,) = impact_figure.draw(part).legends
        return [text.get_text() for text in legend.get_texts()]

    both = ["plain (same width)", "iso_parameter (same parameters)"]
    assert named(table) == both
    assert named(table[table["control"] == "plain"]) == both[:1]
    # One control on the first data set, the other on the second.
    other = table[table["control"] == "iso_parameter"].assign(dataset="second")
    assert named(pd.concat([table[table["control"] == "plain"], other])) == both


def test_a_history_out_of_place_is_refused(experiment: Experiment, tmp_path: Path) -> None:
    curves = curves_figure.read(experiment.histories)
    assert len(curves) == 8 * 3
    assert set(curves["rank"]) == {1, 2}
    stray = tmp_path / "history.csv"
    stray.write_bytes(experiment.histories[0].read_bytes())
    with pytest.raises(TableError, match="does not lie at"):
        curves_figure.read([stray])


def test_kernel_sets_without_a_reason_are_refused(experiment: Experiment) -> None:
    change(experiment.kernel_sets[0], sets=[{"name": "k1-3", "sizes": [1, 3]}])
    with pytest.raises(TableError, match="key 'sets/0/origin' is missing"):
        experiment.report()
