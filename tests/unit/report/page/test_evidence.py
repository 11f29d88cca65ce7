"""Search cost, score against accuracy, firing rates, compute, and int8."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest
from report_experiment import (
    ARCHIDS,
    Experiment,
    change,
    deploy,
    page_of,
    quantise,
    write_csv,
    write_json,
)

from spikernel.config import ReportConfig
from spikernel.errors import TableError
from spikernel.report.charts import (
    costs,
    layers_figure,
    score_figure,
    search_figure,
    tradeoff_figure,
)
from spikernel.report.page import page_evidence
from spikernel.report.tables import comparisons, compute, main_tables, models, selection
from spikernel.report.tables.published import table as published
from spikernel.report.tables.records import Metrics, Search
from spikernel.report.tables.table import Table


def means_of(experiment: Experiment, **settings: object) -> pd.DataFrame:
    return models.over_seeds(models.read(experiment.tables(**settings) / "models.csv"))


def test_the_reference_is_5000_samples_at_the_searchs_own_speed(experiment: Experiment) -> None:
    searches = [Search.read(path) for path in sorted(experiment.searches)]
    candidates = score_figure.read_candidates(experiment.candidates)
    table = search_figure.table(searches, candidates).set_index("kernel_set")
    # Three candidates of 0.1 s each: 5,000 samples take 500 s; this search took 64 s.
    assert table.loc["k1-3", "scored"] == 3
    assert table.loc["k1-3", "reference_seconds"] == pytest.approx(500.0)
    assert table.loc["k1-3", "ratio"] == pytest.approx(500 / 64)
    rows = page_evidence.searches(searches, table.reset_index()).rows
    assert rows[1][7:10] == ("100", "8.3 min", "7.8×")


def test_a_search_that_timed_no_score_has_no_ratio(experiment: Experiment) -> None:
    searches = [Search.read(path) for path in sorted(experiment.searches)]
    table = search_figure.table(searches, score_figure.read_candidates([]))
    assert table["ratio"].isna().all()
    assert page_evidence.searches(searches, table).rows[0][7:10] == ("–", "–", "–")
    search_figure.draw(table)


def test_searches_show_the_time_of_their_finalists(experiment: Experiment) -> None:
    costs = search_figure.table([], score_figure.read_candidates([]))
    assert "finalists" not in titles(page_evidence.searches([], costs))
    change(experiment.searches[0], finalist_seconds=90.0, finalists=[
        {"rank": 1, "score_rank": 5, "finalist_epochs": 8}
    ])  # fmt: skip
    searches = [Search.read(path) for path in experiment.searches]
    costs = search_figure.table(searches, score_figure.read_candidates([]))
    found = page_evidence.searches(searches, costs)
    place = titles(found).index("finalists")
    assert sorted(row[place] for row in found.rows) == ["90 s", "–"]


def titles(found: Table) -> list[str]:
    return [column.title for column in found.columns]


def test_scores_stand_beside_the_accuracy_of_their_models(experiment: Experiment) -> None:
    candidates = score_figure.read_candidates(experiment.candidates)
    assert candidates["score"].isna().sum() == 2  # -inf has no rank
    scored = score_figure.table(means_of(experiment), candidates).set_index("archid")
    assert scored["score"].to_dict() == {
        ARCHIDS["k1-3", 1]: 2110, ARCHIDS["k1-3", 2]: 2100,
        ARCHIDS["design-1", 1]: 2110, ARCHIDS["design-1", 2]: 2100,
    }  # fmt: skip
    assert scored.loc[ARCHIDS["design-1", 1], "val_accuracy_percent_mean"] == 92.5


def test_kendalls_tau_beside_that_of_the_parameters(experiment: Experiment) -> None:
    scored = score_figure.table(
        means_of(experiment), score_figure.read_candidates(experiment.candidates)
    )
    agreements = score_figure.agreements(scored)
    found = {item.quantity: item for item in agreements if item.split == "validation"}
    # Accuracies 91, 86.5, 92.5, 92; scores 2110, 2100, 2110, 2100: of six pairs two are tied in
    # score, three agree and one does not: (3 - 1) / sqrt(4 * 6).
    assert found["score"].tau == pytest.approx(2 / math.sqrt(24))
    # Parameters 4.2, 1.1, 9.8, 14 M: only the pair of the two largest disagrees.
    assert found["params"].tau == pytest.approx(4 / 6)
    # Every test accuracy is one point below its validation accuracy, so the order is the same.
    assert [item.tau for item in agreements if item.split == "test"] == pytest.approx(
        [found["score"].tau, found["params"].tau]
    )
    assert score_figure.agreements(scored.head(2)) == []
    # A second kernel set that chooses the same cells says nothing new.
    again = pd.concat([scored, scored.assign(kernel_set="again")])
    assert score_figure.agreements(again) == agreements


def test_candidates_belong_to_a_search(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="does not lie at <dataset>/nas_search"):
        score_figure.read_candidates([tmp_path / "candidates.csv"])


def test_firing_rates_keep_the_order_of_the_nets(experiment: Experiment) -> None:
    change(experiment.metrics[-1], layer_firing_rates={"a.neuron": 0.5, "head.neuron": 0.1})
    metrics = [Metrics.read(path) for path in sorted(experiment.metrics)]
    rates = layers_figure.table(metrics)
    own = rates[(rates["kernel_set"] == "k1-3") & (rates["rank"] == 1)]
    assert own["layer"].tolist() == ["cell1.neurons.0", "head.neuron"]
    # Seeds 0 and 1 fire at 0.04 and 0.08 in the head.
    assert own["firing_rate_mean"].tolist() == pytest.approx([0.2, 0.06])
    wide = layers_figure.grid(rates)
    assert list(wide.columns).index("head.neuron") == 2
    assert wide.loc["k1-3 rank 1"].isna().sum() == 1
    heat = page_evidence.firing_rates(rates)[0]
    assert dict(heat.rows)["k1-3 rank 1"][1:] != ()
    assert ("–", 0.0) in dict(heat.rows)["k1-3 rank 1"]


@pytest.mark.parametrize(
    ("layer", "title"),
    [
        ("cell1.neurons.0", "cell 1 in"),
        ("cell2.neurons.2", "cell 2 node 2"),
        ("cell12.neurons.0t1_5", "cell 12 in θ1.5"),
        ("transition.neuron", "transition"),
        ("head.hidden_neuron", "head hidden"),
        ("stage3.block.lif_1", "stage3 block lif 1"),
    ],
)
def test_layers_are_named_for_readers(layer: str, title: str) -> None:
    assert layers_figure.title(layer) == title


def test_compute_is_summed_per_step_and_device(experiment: Experiment) -> None:
    jobs = compute.read(experiment.provenance)
    used = compute.used(jobs)
    assert used[["step", "jobs", "seconds", "share_percent"]].values.tolist() == [
        ["nas_search", 2, 120.0, 100.0]
    ]
    assert compute.data_hashes(jobs) == {"cifar10": ["ab" * 32]}
    assert len(compute.made(jobs)) == 1
    change(experiment.provenance[0], code="0.1.0+def", device="cuda")
    jobs = compute.read(experiment.provenance)
    assert len(compute.used(jobs)) == 2
    assert {item.code for item in compute.made(jobs)} == {"0.1.0+abc", "0.1.0+def"}


def test_int8_is_judged_by_its_own_accuracy(experiment: Experiment) -> None:
    quantise(experiment, 8)
    means = means_of(experiment)
    chosen = {
        precision: selection.select(means, [100.0], precision).iloc[0]
        for precision in ("fp32", "fp16", "int8")
    }
    # design-1 rank 1 is best in fp32 and loses most in int8; then the smallest of the equal rest.
    assert chosen["fp32"]["archid"] == chosen["fp16"]["archid"] == ARCHIDS["design-1", 1]
    assert chosen["int8"]["archid"] == ARCHIDS["k1-3", 2]
    assert chosen["int8"]["test_accuracy_percent_mean"] == pytest.approx(85.5 - 2)
    drawn = tradeoff_figure.points(means, published([]), costs.memory("int8"))
    assert drawn.loc[0, "test_accuracy_percent_mean"] == pytest.approx(91.5 - 2)
    page = page_of(experiment)
    assert "Test accuracy, int8" in page
    assert "those measured with the quantised weights" in page
    assert '"memory_int8":"Int8 test accuracy in %"' in page
    assert '"memory_fp16":"Test accuracy in %"' in page


def test_flash_and_ram_are_budgets_where_they_are_known(experiment: Experiment) -> None:
    quantise(experiment, 8)
    deploy(experiment)
    means = means_of(experiment)
    assert costs.budgeted(means) == ("flash", "ram", "int8", "fp16", "fp32")
    compared = comparisons.read(experiment.folder / "out" / "comparisons.csv")
    settings = {"flash_budgets_kb": [16, 32, 64, 70, 128, 512], "ram_budgets_kb": [8, 9.5, 64]}
    found = selection.for_devices(means, ReportConfig.parse(settings, "test"), compared)
    chosen = found["flash"]
    # Within 32 kB fit the two of k1-3, equal in int8 (85 %): the smaller one, 25 kB. Within 70 kB
    # fits every model, so that larger sizes are left out; design-1 rank 1 has only 80 %.
    assert (1000 * chosen["budget_mb"]).tolist() == pytest.approx([16, 32, 64, 70])
    assert chosen["fits"].tolist() == [False, True, True, True]
    assert chosen["archid"].tolist()[1:] == [ARCHIDS["k1-3", 1]] * 3
    rows = main_tables.on_device(chosen, "flash").rows
    assert rows[0] == ("cifar10", "16", "none fits; the smallest needs 25 kB")
    assert rows[1][:6] == ("cifar10", "32", "k1-3 rank 1", ARCHIDS["k1-3", 1], "4,200,000", "25")
    # Rank 2 needs 9 kB of RAM and rank 1 10 kB, so that within 9.5 kB k1-3 rank 2 is the best.
    in_ram = found["ram"]
    assert in_ram["fits"].tolist() == [False, True, True]
    assert in_ram["archid"].tolist()[1:] == [ARCHIDS["k1-3", 2]] * 2
    assert main_tables.on_device(in_ram, "ram").rows[0][2] == "none fits; the smallest needs 9 kB"
    page = page_of(experiment, flash_budgets_kb=[32.0], ram_budgets_kb=[9.5])
    for limit in ("flash", "RAM"):
        assert f"The int8 model for each size of {limit}" in page
        assert f">int8, kB of {limit}</option>" in page
    assert "Flash in kB (constants of the int8 model)" in page
    assert "RAM in kB (static memory of the int8 model)" in page
    assert "--budget-kb FLASH --ram-kb RAM</code>" in page
    text = (experiment.folder / "out" / "summary.md").read_text(encoding="utf-8")
    assert "## int8 model per size of flash" in text
    assert "## int8 model per size of RAM" in text


def test_every_seed_of_a_model_fits_its_budget(experiment: Experiment) -> None:
    quantise(experiment, 8)
    deploy(experiment)
    change(experiment.deployments[1], int8_bytes=33_000)  # a seed of k1-3 rank 1, the other 25 kB
    chosen = selection.select(means_of(experiment), [0.032, 0.033], "flash")
    # On average it needs 29 kB; rank 2, equal in int8, needs 30 kB whatever the seed.
    assert chosen["archid"].tolist() == [ARCHIDS["k1-3", 2]] * 2
    assert chosen["smallest_memory_mb"].tolist() == [0.03] * 2


def test_without_exact_sizes_there_is_neither(experiment: Experiment) -> None:
    page = page_of(experiment)
    for limit in ("flash", "RAM"):
        assert f">int8, kB of {limit}</option>" not in page
        assert f"size of {limit}</h3>" not in page


def test_results_without_ram_have_flash_alone(experiment: Experiment) -> None:
    quantise(experiment, 8)
    deploy(experiment, ram=False)
    assert costs.budgeted(means_of(experiment)) == ("flash", "int8", "fp16", "fp32")


def test_int8_of_some_models_only_is_not_mixed_with_fp32(experiment: Experiment) -> None:
    quantise(experiment, 2)
    means = means_of(experiment)
    chosen = selection.select(means, [100.0], "int8").iloc[0]
    assert chosen["archid"] == ARCHIDS["design-1", 1]
    assert chosen["test_accuracy_percent_mean"] == pytest.approx(91.5)
    page = page_of(experiment)
    assert "accuracies are those of the trained model" in page
    assert "Int8 test accuracy" not in page


@pytest.mark.parametrize("precision", list(costs.BYTES))
def test_the_first_preferred_that_fits_is_the_selection(
    experiment: Experiment, precision: str
) -> None:
    means = means_of(experiment)
    order = selection.preferred(means, precision)["cifar10"]
    memory = means[f"memory_mb_{precision}"]
    memories = sorted(memory)
    budgets = [0.99 * memories[0], *memories, *(1.001 * memory for memory in memories)]
    chosen = selection.select(means, budgets, precision)
    for row in chosen.to_dict("records"):
        fitting = [place for place in order if memory[place] <= row["budget_mb"]]
        assert bool(fitting) == row["fits"]
        if fitting:
            assert means.loc[fitting[0], "archid"] == row["archid"]


def test_layers_and_exports_are_shown_where_they_are(experiment: Experiment) -> None:
    run = experiment.metrics[0].parent
    layer = {
        "layer": "cell1.neurons.0", "kind": "lif", "firing_rate": 0.2, "dense_ops": 0, "macs": 0,
        "acs": 0, "energy_pj": 0, "neurons": 128, "state_bytes": 512, "params": 0,
    }  # fmt: skip
    conv = {**layer, "layer": "cell1.convolutions.01_k3", "kind": "conv", "firing_rate": ""}
    conv |= {"dense_ops": 9000, "acs": 1234, "energy_pj": 1110.6, "neurons": 0, "params": 640}
    experiment.layers = [write_csv(run / "layers.csv", [layer, conv])]
    form = {"images": 359, "same_class": 359}
    emulated = {
        "compiler": "arm-gcc 12", "options": "-mcpu=cortex-m3 -O2", "flash_bytes": 30_344,
        "static_ram_bytes": 23_272, "ram_bytes": 23_624, "emulator": "QEMU",
        "instructions_per_image": 7_687_031, "images": 122, "same_class": 122,
    }  # fmt: skip
    experiment.exports = [
        write_json(
            experiment.folder / "results/trial/cifar10/export/export.json",
            {
                "dataset": "cifar10", "kernel_set": "k1-3", "rank": 1, "seed": 0,
                "test_accuracy_percent": {"trained": 90.0, "fp32": 90.0, "int8": 89.5},
                "onnx": {"fp32": {"file": "model.onnx", **form}},
                "nir": {"file": None, "refused": "NIR has no feedback"},
                "c": {
                    "int8": {
                        "folder": "c_int8", "flash_bytes": 35_210, "ram_bytes": 9_800,
                        "compiler": "cc 12, for x86_64", "devices": {"cortex-m3": emulated}, **form,
                    }
                },
            },
        )
    ]  # fmt: skip
    page = page_of(experiment)
    assert "Operations of each layer" in page
    assert "1,234" in page
    assert 'href="../results/trial/cifar10/export/c_int8/model.c"' in page
    assert 'href="../results/trial/cifar10/export/model.onnx"' in page
    assert "model.nir" not in page
    assert "NIR has no feedback" in page
    assert "35.2 kB flash, 9.8 kB RAM (cc 12, for x86_64, -Os)" in page
    assert (
        "30.3 kB flash, 23.6 kB RAM; 7,687,031 instructions per image, same class on 122 of 122 "
        "images (arm-gcc 12, -mcpu=cortex-m3 -O2)"
    ) in page
    assert 'href="../results/trial/cifar10/export/model.zip"' in page
    assert "359 of 359 images" in page
    assert page.count("exported for devices") == 1
    assert page.count("<summary>Accuracy and size of each form</summary>") == 1
    commands = re.findall(r"python scripts/export.py [^<]*", page)
    place = f"{experiment.folder}/results/trial/cifar10"
    assert (
        f"python scripts/export.py --manifest {place}/prepare_data/manifest.json "
        f"--metrics {place}/train_final/k1-3/rank-2/seed-1/metrics.json "
        f"--report {place}/export-k1-3-rank-2/export.json"
    ) in commands
    assert len(commands) == len(ARCHIDS) - 1  # every model but the exported one
