"""Intervals, the paired test, and the models that it does not tell apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_experiment import Experiment, change, guesses, write_predictions

from spikernel.errors import DataError, TableError
from spikernel.report.tables import (
    comparisons,
    intervals,
    main_tables,
    models,
    predictions,
    selection,
)


def test_wilsons_interval_by_hand() -> None:
    accuracies, images = pd.Series([50.0, 100.0, 0.0, 90.0]), pd.Series([4.0, 16.0, 16.0, np.nan])
    low, high = intervals.wilson(accuracies, images)
    z2 = 1.959963984540054**2
    # Of 4 images 2: centre 1/2, half width z sqrt(1/16 + z^2/64) / (1 + z^2/4).
    half = 100 * (z2 * (1 / 16 + z2 / 64)) ** 0.5 / (1 + z2 / 4)
    assert (low[0], high[0]) == pytest.approx((50 - half, 50 + half))
    # All right: from 1 / (1 + z^2/n) to 1; none right is its mirror image.
    assert (low[1], high[1]) == pytest.approx((100 / (1 + z2 / 16), 100))
    assert (low[2], high[2]) == pytest.approx((0, 100 - 100 / (1 + z2 / 16)))
    assert np.isnan([low[3], high[3]]).all()


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [(0, 0, 1.0), (0, 5, 2 / 32), (6, 0, 2 / 64), (1, 3, 2 * 5 / 16), (4, 4, 1.0)],
)
def test_mcnemars_exact_test_is_that_of_a_coin(first: int, second: int, p_value: float) -> None:
    assert intervals.mcnemar(first, second) == pytest.approx(p_value)
    assert intervals.mcnemar(second, first) == pytest.approx(p_value)


def test_models_have_images_and_intervals_in_every_table(experiment: Experiment) -> None:
    out = experiment.tables(memory_budgets_mb=[40.0])
    table = models.read(out / "models.csv")
    assert set(table["test_images"]) == {1000}
    assert set(table["val_images"]) == {500}
    assert set(table["chance_percent"]) == {10}
    row = selection.read(out / "selection.csv").iloc[0]
    low, high = intervals.wilson(pd.Series([91.5]), pd.Series([1000]))
    ends = row[["test_accuracy_percent_low", "test_accuracy_percent_high"]].tolist()
    assert ends == pytest.approx([low[0], high[0]])
    assert row["test_images"] == 1000
    for name in ("summary.md", "tables/selection.md", "tables/models.md"):
        text = (out / name).read_text(encoding="utf-8")
        assert f"{low[0]:.1f}–{high[0]:.1f} |" in text
        assert " 1,000 |" in text
    latex = (out / "tables" / "selection.tex").read_text(encoding="utf-8")
    assert f"& {low[0]:.1f}--{high[0]:.1f} & 1,000 &" in latex


def test_chance_is_the_share_of_the_largest_class_of_the_test_images(
    experiment: Experiment,
) -> None:
    for path in experiment.predictions:
        arrays = dict(np.load(path))
        right = int((arrays["trained"] == arrays["label"]).sum())
        label = np.where(np.arange(1000) < 891, 0, 1 + arrays["label"] % 9)
        np.savez(path, **{**arrays, "label": label, "trained": guesses(label, right)})
    out = experiment.tables(memory_budgets_mb=[1.0, 40.0])
    assert set(models.read(out / "models.csv")["chance_percent"]) == {89.1}
    assert selection.read(out / "selection.csv")["chance_percent"].tolist()[1] == 89.1


def test_pairs_that_differ_on_few_images_are_not_told_apart(experiment: Experiment) -> None:
    out = experiment.tables(memory_budgets_mb=[1.0, 40.0])
    compared = comparisons.read(out / "comparisons.csv")
    assert len(compared) == 4 * 3 / 2
    # Seeds 1 are the better ones. They get 920, 915, 905 and 860 images right, each the first
    # ones: only 5 images set the best two apart, p = 2 / 2^5, and 10 the next, p = 2 / 2^10.
    assert set(compared["seed"]) == {1}
    pair = compared[(compared["kernel_set"] == "design-1") & (compared["other_rank"] == 2)].iloc[0]
    assert pair["p_value"] == pytest.approx(2 / 32)
    alike = comparisons.alike(compared, "fp32")
    assert alike["cifar10", ("design-1", 1, 1.0)] == [("design-1", 2, 1.0)]
    assert alike["cifar10", ("k1-3", 1, 1.0)] == []
    chosen = selection.read(out / "selection.csv")
    assert chosen["not_told_apart"].isna().tolist() == [True, False]
    assert chosen[["not_told_apart", "other_models"]].iloc[1].tolist() == [1, 3]
    assert "1 of 3 |" in (out / "summary.md").read_text(encoding="utf-8")


def test_int8_models_are_compared_as_int8_models(experiment: Experiment) -> None:
    for place, path in enumerate(experiment.predictions):
        change(experiment.metrics[place], test_accuracy_percent=50.0 + 5 * place)
        change(
            experiment.deployments[place],
            int8_val_accuracy_percent=80.0,
            int8_test_accuracy_percent=90.0,
        )
        write_predictions(path, {"test_accuracy_percent": 50.0 + 5 * place}, int8_right=900)
    out = experiment.tables(memory_budgets_mb=[100.0], precision="int8")
    compared = comparisons.read(out / "comparisons.csv")
    apart = compared.groupby("precision")["told_apart"].agg(["sum", "count"])
    assert apart.to_numpy().tolist() == [[6, 6], [0, 6]]  # fp32, int8
    assert selection.read(out / "selection.csv")["not_told_apart"].tolist() == [3]
    page = (experiment.report("int8", precision="int8") / "report.html").read_text(encoding="utf-8")
    assert "<dt>Test images do not tell it apart from</dt><dd>none" not in page


def test_predictions_must_be_of_the_same_images(experiment: Experiment) -> None:
    path = experiment.predictions[1]
    arrays = dict(np.load(path))
    turned = {name: arrays[name][::-1] for name in ("label", "trained")}
    np.savez(path, **{**arrays, **turned})
    with pytest.raises(TableError, match="are of other test images"):
        experiment.tables()
    change(experiment.deployments[1], test_images=999)
    with pytest.raises(TableError, match=r"holds 1000 images, deployment\.json beside it 999"):
        experiment.tables()
    experiment.deployments.pop(1)
    with pytest.raises(TableError, match=r"no deployment\.json beside it was given"):
        comparisons.by_key(experiment.deployments, experiment.predictions)


def test_damaged_predictions_are_one_line(experiment: Experiment, tmp_path: Path) -> None:
    path = experiment.predictions[0]
    sound = path.read_bytes()
    for broken in (b"", b"PK", sound[:100], b"label,trained\n1,1\n"):
        path.write_bytes(broken)
        with pytest.raises((TableError, DataError), match="predictions") as caught:
            predictions.read(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(TableError, match="is missing"):
        predictions.read(tmp_path / "absent.npz")
    path.write_bytes(sound)
    assert predictions.read(path).right("fp32").sum() == 895


def test_tables_without_counts_have_no_empty_columns(experiment: Experiment) -> None:
    path = experiment.tables() / "models.csv"
    text = models.to_csv(pd.read_csv(path).drop(columns=["test_images", "val_images"]))
    path.write_text(text, encoding="utf-8")
    means = models.over_seeds(models.read(path))
    shown = main_tables.brief(means, "", "fp32")
    assert not {"95 % interval", "test images"} & {column.title for column in shown.columns}
    chosen = selection.select(means, [40.0], "fp32")
    assert len(main_tables.selection(chosen, "").columns) == 9
