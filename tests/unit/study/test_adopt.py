"""Whose results count as finished: those of the same settings, files and data sets alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from spikernel.config import WorkflowConfig
from spikernel.errors import DataError
from spikernel.study import (
    adopt,
    deployment,
    experiment,
    kernel_impact,
    kernel_impact_table,
    kernel_set_design,
    nas_search,
    search_job,
    tradeoff_table,
    train_final,
)
from spikernel.study.inputs import Machine
from spikernel.study.prepare_data import prepare

CPU = Machine("cpu")
IMAGES = {"kind": "digits", "train_images": 200, "test_images": 60}
SHORT = {"recipe": "modern", "epochs": 1}
CONFIG: dict[str, Any] = {
    "experiment": "tiny",
    "datasets": {"digits": IMAGES, "numbers": IMAGES},
    "network": {"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 1},
    "kernel_impact": {"kernel_sizes": [1, 3], "seeds": [0, 1], "training": SHORT},
    "kernel_set_design": {"fixed": [[1, 3]]},
    # Design is given neither.
    "nas_search": {"score": "convolutions_after_clean_up", "iterations": 5, "shards": 2},
    "train_final": {"training": SHORT},
    "tradeoff_report": {"memory_budgets_mb": [0.02], "published_points": False},
    "export": {"enabled": False},
}


def write(folder: Path, config: Mapping[str, Any]) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(dict(config)))
    return path


def make_nets(config: WorkflowConfig, place: Path, manifest: Path) -> Path:
    """Train every reference net and write their table."""
    sections, impact, metrics = config.sections(), config.kernel_impact, []
    nets = [("plain", 1), ("plain", 3), ("iso_parameter", 1)]
    for control, size, seed in ((*net, seed) for net in nets for seed in impact.seeds):
        folder = place / "kernel_impact" / control / f"k-{size}" / f"seed-{seed}"
        outputs = kernel_impact.Outputs(folder / "metrics.json", folder / "history.csv")
        settings = kernel_impact.Settings(
            size, control, seed, list(impact.reference_cell), sections["datasets/digits/network"],
            sections["datasets/digits/kernel_impact"],
        )  # type: ignore[arg-type]  # fmt: skip
        kernel_impact.run(kernel_impact.Inputs(manifest), outputs, settings, CPU)
        metrics.append(outputs.metrics)
    table = place / "kernel_impact" / "impact.csv"
    kernel_impact_table.run(kernel_impact_table.Inputs(metrics), kernel_impact_table.Outputs(table))
    return table


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the steps, but for export and report, in the folders where Snakemake lets them."""
    folder = tmp_path_factory.mktemp("adopt")
    config = experiment.read(write(folder, CONFIG))
    sections: dict[str, Any] = config.sections()
    network, search = sections["datasets/digits/network"], sections["nas_search"]
    place = Path("results/tiny/digits")
    manifest, sets = place / "prepare_data/manifest.json", place / "kernel_set_design/sets.json"
    found = place / "nas_search/k1-3/candidates.csv", place / "nas_search/k1-3/search.json"
    end = Path("rank-1/seed-0")
    trained = train_final.Outputs.in_folder(place / "train_final/k1-3" / end)
    deployed = deployment.Outputs.in_folder(place / "deployment/k1-3" / end)
    page = Path("results/tiny/tradeoff_report")
    tables = (*(page / f"{name}.csv" for name in ("models", "selection", "comparisons")),)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("digits", "numbers"):
            there = Path(f"results/tiny/{name}/prepare_data/manifest.json")
            prepare(name, sections[f"datasets/{name}/data"], Path("data"), there)
        kernel_set_design.run(
            kernel_set_design.Inputs(make_nets(config, place, manifest), manifest),
            kernel_set_design.Outputs(sets),
            kernel_set_design.Settings(
                config.kernel_set_design,
                network,
                search.model_copy(update={"score": "rising_path", "shards": 1}),
            ),
        )
        nas_search.run(
            nas_search.Inputs(manifest, sets),
            nas_search.Outputs(*found),
            search_job.Settings("k1-3", None, network, search),
            CPU,
        )
        training = sections["datasets/digits/train_final"]
        train_final.run(
            train_final.Inputs(manifest, *found),
            trained,
            train_final.Settings(network=network, training=training),
            CPU,
        )
        deployment.run(deployment.Inputs(manifest, trained.metrics, trained.model), deployed, CPU)
        tradeoff_table.run(
            tradeoff_table.Inputs(
                metrics=[trained.metrics], searches=[found[1]],
                deployments=[deployed.deployment], predictions=[deployed.predictions],
            ),
            tradeoff_table.Outputs(
                **dict(zip(("models", "selection", "comparisons"), tables, strict=True)),
                summary=page / "summary.md", tables=page / "tables",
            ),
            config.tradeoff_report.model_copy(update={"published_points": True}),
        )  # fmt: skip
    return folder / "results"


def faults(results: Path, folder: Path, **changes: Any) -> list[str]:
    """Return what is wrong with the results for a changed configuration; places below `tiny`."""
    config = write(folder, {**CONFIG, **changes})
    with pytest.raises(DataError) as refused:
        adopt.run(adopt.Settings(config, results))
    _, *lines = str(refused.value).splitlines()
    return [line.strip().removeprefix(f"{results}/tiny/") for line in lines]


def test_results_of_the_same_configuration_are_adopted(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt.run(adopt.Settings(write(tmp_path, CONFIG), results))
    assert "with these settings and this code" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["validation_fraction", "split_seed"])
def test_results_of_data_that_are_split_otherwise_are_not(
    results: Path, tmp_path: Path, key: str
) -> None:
    value = {"validation_fraction": 0.2, "split_seed": 1}[key]
    datasets = {"digits": {**IMAGES, key: value}, "numbers": IMAGES}
    assert faults(results, tmp_path, datasets=datasets) == [
        "digits/prepare_data: made with other settings of prepare_data"
    ]


def test_nor_are_nets_of_another_reference_cell(results: Path, tmp_path: Path) -> None:
    cell = ["conv", "zero", "zero", "conv", "zero", "conv"]
    impact = {**CONFIG["kernel_impact"], "reference_cell": cell}
    assert faults(results, tmp_path, kernel_impact=impact) == [
        f"digits/kernel_impact/{net}/seed-{seed}: made with other settings of reference_cell"
        for net in ("iso_parameter/k-1", "plain/k-1", "plain/k-3")
        for seed in (0, 1)
    ]


def test_nor_are_a_design_and_tables_of_other_budgets(results: Path, tmp_path: Path) -> None:
    search = {**CONFIG["nas_search"], "budget": {"max_params": 10**6}}
    assert faults(results, tmp_path, nas_search=search) == [
        "digits/kernel_set_design: made with other settings of search",
        "digits/nas_search/k1-3: made with other settings of search",
    ]
    report = {"memory_budgets_mb": [0.03]}
    assert faults(results, tmp_path, tradeoff_report=report) == [
        "tradeoff_report: made with other settings of tradeoff_table"
    ]


def test_another_width_of_nets_is_another_network_everywhere(results: Path, tmp_path: Path) -> None:
    network = {**CONFIG["network"], "channels": 6}
    places = ("kernel_set_design", "nas_search/k1-3", "train_final/k1-3/rank-1/seed-0")
    assert faults(results, tmp_path, network=network) == [
        f"digits/{place}: made with other settings of network" for place in places
    ]


def test_leftovers_of_an_earlier_configuration_are_named(results: Path, tmp_path: Path) -> None:
    assert faults(results, tmp_path, datasets={"digits": IMAGES}) == [
        "numbers/prepare_data: not of this configuration: delete it"
    ]
    impact = {**CONFIG["kernel_impact"], "seeds": [0]}
    nets = ("iso_parameter/k-1", "plain/k-1", "plain/k-3")
    assert sorted(faults(results, tmp_path, kernel_impact=impact)) == sorted(
        [
            *(
                f"digits/kernel_impact/{net}/seed-1: not of this configuration: delete it"
                for net in nets
            ),
            *(
                f"digits/kernel_impact: made from digits/kernel_impact/{net}/seed-1/metrics.json, "
                "which is not of this configuration"
                for net in nets
            ),
        ]
    )
