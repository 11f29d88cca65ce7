"""Where the jobs of an experiment leave their files, known before anything has run. No torch.

All paths are below the experiment's folder.
"""

from spikernel import provenance
from spikernel.config import WorkflowConfig, width_suffix
from spikernel.study.reference_net import ANCHOR


def ranking_step(config: WorkflowConfig) -> str:
    """Return the folder of the rankings that later steps take: by finalists, if there are any."""
    return "nas_search" if config.nas_search.finalists is None else "finalists"


def reference_nets(config: WorkflowConfig, dataset: str) -> list[str]:
    """Return the folder of every reference net of a data set.

    The 3x3 net is the same under all controls: it is trained once, under the first.
    """
    impact = config.kernel_impact
    return [
        f"{dataset}/kernel_impact/{control}/k-{size}/seed-{seed}"
        for control in impact.controls
        for size in impact.kernel_sizes
        for seed in impact.seeds
        if size != ANCHOR or control == impact.controls[0]
    ]


def searches(config: WorkflowConfig, step: str) -> list[str]:
    """Return the folder of every data set and kernel set in `nas_search` or `finalists`."""
    return [
        f"{dataset}/{step}/{kernel_set}"
        for dataset in config.datasets
        for kernel_set in config.kernel_sets()
    ]


def final_nets(config: WorkflowConfig, step: str) -> list[str]:
    """Return the folder of every model of every data set in `train_final` or `deployment`."""
    return [
        f"{dataset}/{step}/{kernel_set}/rank-{rank}{width}/seed-{seed}"
        for dataset in config.datasets
        for kernel_set in config.kernel_sets()
        for rank in range(1, config.train_final.ranks + 1)
        for width in map(width_suffix, config.train_final.widths_of(kernel_set))
        for seed in config.train_final.seeds
    ]


def records_before_report(config: WorkflowConfig) -> list[str]:
    """Return the provenance record of every job before the report."""
    steps = ("prepare_data", "kernel_impact", "kernel_set_design")
    ranked = ranking_step(config)
    folders = [
        *(f"{dataset}/{step}" for step in steps for dataset in config.datasets),
        *(folder for dataset in config.datasets for folder in reference_nets(config, dataset)),
        *searches(config, "nas_search"),
        *(searches(config, ranked) if ranked != "nas_search" else []),
        *final_nets(config, "train_final"),
        *final_nets(config, "deployment"),
    ]
    return [
        *(f"{folder}/{provenance.RECORD}" for folder in folders),
        "tradeoff_report/provenance_table.json",
    ]


def records(config: WorkflowConfig) -> list[str]:
    """Return the provenance record of every job."""
    exported = config.datasets if config.export.enabled else ()
    return [
        *records_before_report(config),
        "tradeoff_report/provenance_report.json",
        *(f"{dataset}/export/{provenance.RECORD}" for dataset in exported),
    ]
