# SpiKernel: prepare_data -> kernel_impact -> kernel_set_design -> nas_search -> train_final
#            -> deployment -> tradeoff_report -> export. One rule file, one script and one
#            environment per step.
import re

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/prepare_data.smk"
include: "workflow/rules/kernel_impact.smk"
include: "workflow/rules/kernel_set_design.smk"
include: "workflow/rules/nas_search.smk"
include: "workflow/rules/finalists.smk"
include: "workflow/rules/train_final.smk"
include: "workflow/rules/deployment.smk"
include: "workflow/rules/tradeoff_report.smk"
include: "workflow/rules/export.smk"


report: "workflow/report/workflow.rst"


wildcard_constraints:
    experiment=r"[^/]+",
    dataset=r"[^/]+",
    kernel_set=r"[^/]+",
    control=r"plain|iso_parameter",
    kernel_size=r"\d+",
    rank=r"\d+",
    width=f"({'|'.join(map(re.escape, WIDTHS))})",
    shard=r"\d+",
    rung=r"\d+",
    seed=r"\d+",


localrules:
    all,
    figures,


# Every result, not the page alone: Snakemake looks for a missing file only where it is asked for.
rule all:
    default_target: True
    input:
        everything(
            rules.prepare_data,
            rules.kernel_impact_table,
            rules.kernel_set_design,
            rules.nas_search,
            *([rules.finalist_ranking] if FINALISTS else []),
            rules.train_final,
            rules.deployment,
            rules.tradeoff_table,
            rules.tradeoff_report,
            *([rules.export] if CHECKED.export.enabled else []),
        ),
    message:
        "Every result is there"


# The figures and the page alone; restyling them retrains nothing.
rule figures:
    input:
        everything(rules.tradeoff_report),
    message:
        "Figures and page are there"


onsuccess:
    say_result(rules.all.input)


# Snakemake itself would end an interrupted run with status 1.
onerror:
    if logger.disabled:
        sys.exit(cli.EXIT_INTERRUPTED)
