# Step 5: the trade-off between accuracy and memory: numbers first, pictures from the numbers.
rule tradeoff_table:
    input:
        script=script("tradeoff_table"),
        metrics=final_files("metrics.json"),
        searches=search_files(),
    output:
        models="results/{experiment}/tradeoff_report/models.csv",
        selection="results/{experiment}/tradeoff_report/selection.csv",
        summary="results/{experiment}/tradeoff_report/summary.md",
        headline="results/{experiment}/tradeoff_report/headline.json",
        provenance="results/{experiment}/tradeoff_report/provenance_table.json",
    log:
        "logs/{experiment}/tradeoff_table.log",
    conda:
        "../../envs/tradeoff_report.yaml"
    params:
        settings=as_yaml("tradeoff_report"),
    message:
        "Setting accuracy against memory for {wildcards.experiment}"
    shell:
        "python {input.script[0]} --metrics {input.metrics} --searches {input.searches}"
        " --settings {params.settings:q} --models {output.models} --selection {output.selection}"
        " --summary {output.summary} >{log} 2>&1"


rule tradeoff_report:
    input:
        script=script("tradeoff_report"),
        template="scripts/spikernel/report/page.html.j2",
        models="results/{experiment}/tradeoff_report/models.csv",
        selection="results/{experiment}/tradeoff_report/selection.csv",
        impacts=dataset_files("kernel_impact/impact.csv"),
        sets=dataset_files("kernel_set_design/kernel_sets.json"),
        searches=search_files(),
        histories=final_files("history.csv"),
    output:
        page=report(
            "results/{experiment}/tradeoff_report/report.html",
            caption="../report/tradeoff_report.rst",
            category="Trade-off",
            labels={"what": "page"},
        ),
        memory=report(
            expand(
                "results/{{experiment}}/tradeoff_report/figures/accuracy_vs_memory.{kind}",
                kind=["svg", "pdf", "png", "csv"],
            ),
            caption="../report/accuracy_vs_memory.rst",
            category="Trade-off",
            labels={"what": "accuracy against memory"},
        ),
        parameters=report(
            expand(
                "results/{{experiment}}/tradeoff_report/figures/accuracy_vs_parameters.{kind}",
                kind=["svg", "pdf", "png", "csv"],
            ),
            caption="../report/accuracy_vs_parameters.rst",
            category="Trade-off",
            labels={"what": "accuracy against parameters"},
        ),
        impact=report(
            expand(
                "results/{{experiment}}/tradeoff_report/figures/kernel_impact.{kind}",
                kind=["svg", "pdf", "png", "csv"],
            ),
            caption="../report/kernel_impact.rst",
            category="Kernel sizes",
            labels={"what": "impact of the kernel size"},
        ),
        provenance="results/{experiment}/tradeoff_report/provenance_report.json",
    log:
        "logs/{experiment}/tradeoff_report.log",
    conda:
        "../../envs/tradeoff_report.yaml"
    params:
        settings=as_yaml("tradeoff_report"),
        folder=subpath(output.page, parent=True),
    message:
        "Drawing the report of {wildcards.experiment}"
    shell:
        "python {input.script[0]} --models {input.models} --selection {input.selection}"
        " --impacts {input.impacts} --kernel-sets {input.sets} --searches {input.searches}"
        " --histories {input.histories} --settings {params.settings:q} --output {output.page}"
        " --figures {params.folder}/figures >{log} 2>&1"
