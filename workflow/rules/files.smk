# Which files an experiment has: what jobs read of others, and what the targets ask for.
from spikernel.config import kernel_set_name, width_suffix
from spikernel.study import planned_files

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


def impact_metrics(wildcards):
    """Return the metrics of every reference net of a data set."""
    folders = planned_files.reference_nets(CHECKED, wildcards.dataset)
    return [f"results/{EXPERIMENT}/{folder}/metrics.json" for folder in folders]


# Kernel sets whose sizes stand in the configuration; those of the others, kernel_set_design finds.
GIVEN_SETS = {
    kernel_set_name(sizes): sizes
    for sizes in (
        CHECKED.kernel_set_design.baseline,
        *CHECKED.kernel_set_design.fixed,
    )
}


def kernel_sets(wildcards):
    """Return the file that holds the sizes of a kernel set; none where they are given.

    So the search over a given set does not depend on what kernel_impact measures.
    """
    if wildcards.kernel_set in GIVEN_SETS:
        return []
    return (
        f"results/{EXPERIMENT}/{wildcards.dataset}/kernel_set_design/kernel_sets.json"
    )


def searched_set(wildcards, input):
    """Return the options that tell a search its kernel set: the sizes, or file and name."""
    name = wildcards.kernel_set
    if name in GIVEN_SETS:
        return f"--kernel-sizes {' '.join(map(str, GIVEN_SETS[name]))}"
    return f"--kernel-sets {input.kernel_sets} --kernel-set {name}"


def search_parts(wildcards):
    """Return the files of the shards of one search; none where it is a single job."""
    shards = CHECKED.nas_search.shards
    folder = f"results/{EXPERIMENT}/{wildcards.dataset}/nas_search/{wildcards.kernel_set}/shards"
    return [f"{folder}/{shard}.jsonl" for shard in range(shards)] if shards > 1 else []


# The folder of the ranking that all later steps take: by finalists, where there are any.
FINALISTS = CHECKED.nas_search.finalists
RANKED = planned_files.ranking_step(CHECKED)
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
    folders = planned_files.final_nets(CHECKED, step)
    return [f"results/{EXPERIMENT}/{folder}/{name}" for folder in folders]


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
    folders = planned_files.searches(CHECKED, step)
    return [f"results/{EXPERIMENT}/{folder}/{name}" for folder in folders]


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
    """Return the record of every data set's exported model, and of those exported by hand."""
    chosen = dataset_files("export/export.json") if CHECKED.export.enabled else []
    by_hand = [
        path.as_posix()
        for pattern in dataset_files("export-*/export.json")
        for path in sorted(Path().glob(pattern))
    ]
    return chosen + by_hand


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
    records = planned_files.records_before_report(CHECKED)
    return [f"results/{EXPERIMENT}/{record}" for record in records]


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
