# Shared by all rules: the checked configuration, and what a script is made of.
import json
import sys
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))

from spikernel.config import WorkflowConfig
from spikernel.errors import ConfigError
from spikernel.interpreter import offer_own_python
from spikernel.study.reference_net import ANCHOR

offer_own_python()

try:
    CHECKED = WorkflowConfig.parse(dict(config), "config")
    # Every default filled in and every override applied, so that rules look up exact leaves.
    config.update(CHECKED.resolved())
except ConfigError as error:
    raise WorkflowError(str(error)) from None

EXPERIMENT = CHECKED.experiment


@cache
def script(name):
    """Return a script and every module of the library that it reaches.

    Named as inputs, so that Snakemake compares their content: an edit reruns the rules
    whose script reaches the edited module, and no other.
    """
    finder = ModuleFinder(path=[str(SCRIPTS)])
    finder.run_script(str(SCRIPTS / f"{name}.py"))
    files = {
        Path(module.__file__) for module in finder.modules.values() if module.__file__
    }
    library = sorted(str(path.relative_to(workflow.basedir)) for path in files)
    first = f"scripts/{name}.py"
    return [first, *(path for path in library if path != first)]


PAGE_PARTS = sorted(
    str(path.relative_to(workflow.basedir))
    for kind in ("j2", "css", "js")
    for path in (SCRIPTS / "spikernel" / "report" / "page").glob(f"*.{kind}")
)


def as_yaml(dpath):
    """Return a params function: a section of the config as one-line YAML for a script."""

    def section(wildcards):
        value = config
        for key in dpath.format(**wildcards).split("/"):
            value = value[key]
        return json.dumps(value)

    return section


ARRAY_FILES = [
    f"{split}_{part}.npy"
    for split in ("train", "validation", "test")
    for part in ("images", "labels")
]


def arrays(wildcards):
    """Return the arrays of a prepared data set.

    Old on purpose: their content is fixed by the hashes in the manifest, so the small manifest
    decides what reruns.
    """
    folder = f"results/{EXPERIMENT}/{wildcards.dataset}/prepare_data"
    return [ancient(f"{folder}/{name}") for name in ARRAY_FILES]


def impact_files(dataset, name):
    """Return the path of a file for every reference net of a data set.

    The 3x3 net is the same under both controls: it is trained once, under the first.
    """
    impact = CHECKED.kernel_impact
    return [
        f"results/{EXPERIMENT}/{dataset}/kernel_impact/{control}/k-{size}/seed-{seed}/{name}"
        for control in impact.controls
        for size in impact.kernel_sizes
        for seed in impact.seeds
        if size != ANCHOR or control == impact.controls[0]
    ]


def impact_metrics(wildcards):
    """Return the metrics of every reference net of a data set."""
    return impact_files(wildcards.dataset, "metrics.json")


def search_parts(wildcards):
    """Return the files of the shards of one search; none where it is a single job."""
    shards = CHECKED.nas_search.shards
    folder = f"results/{EXPERIMENT}/{wildcards.dataset}/nas_search/{wildcards.kernel_set}/shards"
    return [f"{folder}/{shard}.jsonl" for shard in range(shards)] if shards > 1 else []


def final_files(name):
    """Return the path of a file for every model of every data set."""
    return [
        f"results/{EXPERIMENT}/{dataset}/train_final/{kernel_set}/rank-{rank}/seed-{seed}/{name}"
        for dataset in CHECKED.datasets
        for kernel_set in CHECKED.kernel_sets()
        for rank in range(1, CHECKED.train_final.ranks + 1)
        for seed in CHECKED.train_final.seeds
    ]


def final_files_of(name):
    """Return an input function: the path of a file for every model of the data set at hand."""

    def files(wildcards):
        folder = f"results/{EXPERIMENT}/{wildcards.dataset}/"
        return [path for path in final_files(name) if path.startswith(folder)]

    return files


def search_files(name):
    """Return the path of a file for every data set and kernel set."""
    return [
        f"results/{EXPERIMENT}/{dataset}/nas_search/{kernel_set}/{name}"
        for dataset in CHECKED.datasets
        for kernel_set in CHECKED.kernel_sets()
    ]


def dataset_files(path):
    """Return a path under the folder of every data set."""
    return [f"results/{EXPERIMENT}/{dataset}/{path}" for dataset in CHECKED.datasets]


# What the export is made of beside Python, and the C files that it makes.
EXPORT_TEMPLATES = [
    str(path.relative_to(workflow.basedir))
    for path in sorted((SCRIPTS / "spikernel" / "export").rglob("*.j2"))
]
C_FILES = ["model.h", "model.c", "kernels.h", "main.c", "Makefile", "expected.u16"]


def export_records():
    """Return the record of every data set's exported model; none where they are not wanted."""
    return dataset_files("export/export.json") if CHECKED.export.enabled else []


def everything(*rules):
    """Return every file that the rules make in this experiment, but for shards and reference nets."""
    return expand(
        [path for rule in rules for path in rule.output],
        experiment=EXPERIMENT,
        dataset=CHECKED.datasets,
        kernel_set=CHECKED.kernel_sets(),
        rank=range(1, CHECKED.train_final.ranks + 1),
        seed=CHECKED.train_final.seeds,
    )


def provenance_files():
    """Return the provenance record of every job before the report."""
    steps = ("prepare_data", "kernel_impact", "kernel_set_design")
    return [
        *(path for step in steps for path in dataset_files(f"{step}/provenance.json")),
        *(
            path
            for dataset in CHECKED.datasets
            for path in impact_files(dataset, "provenance.json")
        ),
        *search_files("provenance.json"),
        *final_files("provenance.json"),
        f"results/{EXPERIMENT}/tradeoff_report/provenance_table.json",
    ]


def figure(name, category, what):
    """Return the files of a static figure, for Snakemake's own report too."""
    return report(
        expand(
            "results/{{experiment}}/tradeoff_report/figures/{name}.{kind}",
            name=name,
            kind=["svg", "pdf", "png", "csv"],
        ),
        caption=f"../report/{name}.rst",
        category=category,
        labels={"what": what},
    )
