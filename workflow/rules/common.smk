# Shared by all rules: the checked configuration, and what each job depends on.
import atexit
import json
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path

from snakemake.logging import logger

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Jobs find their scripts from any working directory. Not a parameter of the rules, because results
# do not depend on where the project lies.
os.environ.update(SPIKERNEL_SCRIPTS=str(SCRIPTS))

from spikernel import cli

# A file given with --configfile stands for itself; it is not merged with the default one, which
# is that of the working directory, else the one that comes with the workflow.
DEFAULT = Path("config/config.yaml")
if not DEFAULT.exists():
    DEFAULT = Path(workflow.basedir) / DEFAULT


def relative(path):
    """Return a path as it is written from the working directory, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


with cli.one_line():
    from spikernel.code import digest
    from spikernel.config import WorkflowConfig, strict_yaml, width_suffix
    from spikernel.interpreter import offer_own_python
    from spikernel.study import closing, experiment
    from spikernel.study.reference_net import ANCHOR

    # Snakemake reads them too, but lets the last of two equal keys win and knows no lines.
    DOCUMENTS = [
        strict_yaml.read(relative(path))
        for path in workflow.overwrite_configfiles or [DEFAULT]
    ]

if not workflow.overwrite_configfiles:

    configfile: DEFAULT


offer_own_python()

with cli.one_line():
    options = json.dumps(dict(workflow.config_settings.config), default=str)
    DOCUMENTS.append(strict_yaml.parse(options, "--config"))
    place = partial(strict_yaml.place, DOCUMENTS)
    CHECKED = WorkflowConfig.parse(dict(config), place)
    experiment.check(CHECKED, place)
SECTIONS = CHECKED.sections()
# Every default filled in, so that rules look up exact leaves.
config.update(CHECKED.model_dump(mode="json"))

EXPERIMENT = CHECKED.experiment


def settings(path, without=()):
    """Return a params function: a section of the configuration as JSON for a script.

    It holds what differs from the defaults, so that a setting that is added later, with a
    default, reruns nothing.
    """

    def section(wildcards):
        changes = SECTIONS[path.format(**wildcards)].changes()
        return json.dumps(
            {key: value for key, value in changes.items() if key not in without}
        )

    return section


def code(script, *paths):
    """Return a params function: the digest of the code that a script reaches.

    An edit of a comment leaves it as it is; so does an edit of a part (a neuron, a score) that
    none of the sections of the configuration names.
    """

    def value(wildcards):
        sections = [SECTIONS[path.format(**wildcards)] for path in paths]
        return digest(
            script, [part for section in sections for part in section.parts()]
        )

    return value


def teacher(path):
    """Return an input function: the weights that a section's training learns from, if it does.

    The path is from the working directory, as it is for the script.
    """

    def files(wildcards):
        named = SECTIONS[path.format(**wildcards)].teacher
        return [] if named is None else [named]

    return files


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


# The folder of the ranking that all later steps take: by finalists, where there are any.
FINALISTS = CHECKED.nas_search.finalists
RANKED = "nas_search" if FINALISTS is None else "finalists"
RUNGS = SECTIONS["finalist_training"]


def rung_parts(wildcards, rungs):
    """Return the files of all jobs of some rungs of the finalists of one search."""
    folder = (
        f"results/{EXPERIMENT}/{wildcards.dataset}/finalists/{wildcards.kernel_set}"
    )
    return [
        f"{folder}/rung-{rung}/{shard}.jsonl"
        for rung in rungs
        for shard in range(RUNGS.shards)
    ]


def parts_before(wildcards):
    """Return the files of the rung before one; none before the first."""
    rung = int(wildcards.rung)
    return rung_parts(wildcards, [rung - 1] if rung > 1 else [])


def parts_of_all_rungs(wildcards):
    """Return the files of all rungs of one search."""
    return rung_parts(wildcards, range(1, len(RUNGS.rungs) + 1))


# The last part of a model's name by its width -> the width. It is empty for width 1, so that widths
# that are added leave finished models where they are.
WIDTHS = {width_suffix(width): width for width in CHECKED.all_widths()}


def final_files(name, step="train_final"):
    """Return the path of a file for every model of every data set."""
    return [
        f"results/{EXPERIMENT}/{dataset}/{step}/{kernel_set}/rank-{rank}{width}/seed-{seed}/{name}"
        for dataset in CHECKED.datasets
        for kernel_set in CHECKED.kernel_sets()
        for rank in range(1, CHECKED.train_final.ranks + 1)
        for width in map(width_suffix, CHECKED.train_final.widths_of(kernel_set))
        for seed in CHECKED.train_final.seeds
    ]


def deployments(name="deployment.json"):
    """Return the path of a file of the step deployment for every model."""
    return final_files(name, "deployment")


def final_files_of(name):
    """Return an input function: the path of a file for every model of the data set at hand."""

    def files(wildcards):
        folder = f"results/{EXPERIMENT}/{wildcards.dataset}/"
        return [path for path in final_files(name) if path.startswith(folder)]

    return files


def search_files(name, step=RANKED):
    """Return the path of a file for every data set and kernel set."""
    return [
        f"results/{EXPERIMENT}/{dataset}/{step}/{kernel_set}/{name}"
        for dataset in CHECKED.datasets
        for kernel_set in CHECKED.kernel_sets()
    ]


def dataset_files(path):
    """Return a path under the folder of every data set."""
    return [f"results/{EXPERIMENT}/{dataset}/{path}" for dataset in CHECKED.datasets]


# The C files that the export makes; those in device/ are for bare processors.
C_FILES = [
    *("model.h", "model.c", "kernels.h", "main.c", "Makefile", "expected.u16"),
    *("device/device.h", "device/device.c", "device/main.c", "device/Makefile"),
    *("device/cortex_m.ld", "device/riscv.ld", "device/sections.ld"),
]


def export_records():
    """Return the record of every data set's exported model; none where they are not wanted."""
    return dataset_files("export/export.json") if CHECKED.export.enabled else []


def everything(*rules):
    """Return every file that the rules make in this experiment, but for shards and reference nets."""
    found = [
        path
        for kernel_set in CHECKED.kernel_sets()
        for path in expand(
            [path for rule in rules for path in rule.output],
            experiment=EXPERIMENT,
            dataset=CHECKED.datasets,
            kernel_set=kernel_set,
            rank=range(1, CHECKED.train_final.ranks + 1),
            # A list, since it is gone through once for each path.
            width=list(map(width_suffix, CHECKED.train_final.widths_of(kernel_set))),
            seed=CHECKED.train_final.seeds,
        )
    ]
    return list(dict.fromkeys(found))


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
        *search_files("provenance.json", "nas_search"),
        *(search_files("provenance.json") if FINALISTS else []),
        *final_files("provenance.json"),
        *final_files("provenance.json", "deployment"),
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


def interrupt(number, frame):
    """End a run at Ctrl-C in one line, without the logs of all jobs that end with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logger.disabled = True
    print(f"\n{cli.INTERRUPTED}", file=sys.stderr, flush=True)
    sys.exit(cli.EXIT_INTERRUPTED)


if workflow.is_main_process:
    signal.signal(signal.SIGINT, interrupt)


def say_result(files):
    """Let a run end with its result in five lines, if all files of the experiment are there."""
    if all(map(os.path.exists, files)):
        folder, enabled = Path("results") / EXPERIMENT, CHECKED.export.enabled
        text = "\n".join(closing.lines(folder, list(CHECKED.datasets), enabled))
        # Behind what Snakemake says last.
        atexit.register(print, f"\n{text}", file=sys.stderr, flush=True)
