# SpiKernel: prepare_data -> kernel_impact -> kernel_set_design -> nas_search -> train_final
#            -> tradeoff_report -> export. One rule file, one script and one environment per step.
from snakemake.utils import min_version

min_version("9.0")

# A file given with --configfile stands for itself; it is not merged with the default one.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/prepare_data.smk"
include: "workflow/rules/kernel_impact.smk"
include: "workflow/rules/kernel_set_design.smk"
include: "workflow/rules/nas_search.smk"
include: "workflow/rules/train_final.smk"
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
    shard=r"\d+",
    seed=r"\d+",


localrules:
    all,
    figures,


rule all:
    default_target: True
    input:
        f"results/{EXPERIMENT}/tradeoff_report/report.html",
        exports(),


# The figures and the page alone; restyling them retrains nothing.
rule figures:
    input:
        rules.all.input[0],
