# Step 5: the trade-off between accuracy and memory: numbers first, pictures from the numbers.
rule tradeoff_table:
    input:
        metrics=final_files("metrics.json"),
        searches=search_files("search.json"),
        deployments=deployments(),
        predictions=deployments("predictions.npz"),
    output:
        models="results/{experiment}/tradeoff_report/models.csv",
        selection="results/{experiment}/tradeoff_report/selection.csv",
        comparisons="results/{experiment}/tradeoff_report/comparisons.csv",
        summary="results/{experiment}/tradeoff_report/summary.md",
        headline="results/{experiment}/tradeoff_report/headline.json",
        tables=multiext(
            "results/{experiment}/tradeoff_report/tables/",
            "selection.md",
            "selection.tex",
            "models.md",
            "models.tex",
        ),
        provenance="results/{experiment}/tradeoff_report/provenance_table.json",
    log:
        "logs/{experiment}/tradeoff_table.log",
    conda:
        "../../envs/tradeoff_report.yaml"
    params:
        code=code("tradeoff_table"),
        settings=settings("tradeoff_report", without=["published_points"]),
        folder=subpath(output.models, parent=True),
    message:
        "Setting accuracy against memory for {wildcards.experiment}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/tradeoff_table.py --metrics {input.metrics} --searches {input.searches}'
        " --deployments {input.deployments} --predictions {input.predictions} --settings {params.settings:q}"
        " --models {output.models} --selection {output.selection} --comparisons {output.comparisons}"
        " --summary {output.summary} --tables {params.folder}/tables >{log} 2>&1"


rule tradeoff_report:
    input:
        models="results/{experiment}/tradeoff_report/models.csv",
        selection="results/{experiment}/tradeoff_report/selection.csv",
        comparisons="results/{experiment}/tradeoff_report/comparisons.csv",
        impacts=dataset_files("kernel_impact/impact.csv"),
        kernel_sets=dataset_files("kernel_set_design/kernel_sets.json"),
        searches=search_files("search.json"),
        candidates=search_files("candidates.csv"),
        metrics=final_files("metrics.json"),
        histories=final_files("history.csv"),
        layers=final_files("layers.csv"),
        deployments=deployments(),
        predictions=deployments("predictions.npz"),
        exports=export_records(),
        findings=dataset_files("prepare_data/findings.json"),
        provenance=provenance_files(),
    output:
        page=report(
            "results/{experiment}/tradeoff_report/report.html",
            caption="../report/tradeoff_report.rst",
            category="Trade-off",
            labels={"what": "page"},
        ),
        memory=figure("accuracy_vs_memory", "Trade-off", "accuracy against memory"),
        parameters=figure(
            "accuracy_vs_parameters", "Trade-off", "accuracy against parameters"
        ),
        synops=figure(
            "accuracy_vs_synops", "Trade-off", "accuracy against synaptic operations"
        ),
        energy=figure("accuracy_vs_energy", "Trade-off", "accuracy against energy"),
        impact=figure("kernel_impact", "Kernel sizes", "impact of the kernel size"),
        search=figure("search_cost", "Search", "cost of each search"),
        score=figure("score_vs_accuracy", "Search", "score against trained accuracy"),
        curves=figure("training_curves", "Training", "training curves"),
        rates=figure("firing_rates", "Training", "firing rate of each layer"),
        provenance="results/{experiment}/tradeoff_report/provenance_report.json",
    log:
        "logs/{experiment}/tradeoff_report.log",
    conda:
        "../../envs/tradeoff_report.yaml"
    params:
        code=code("tradeoff_report"),
        settings=settings("tradeoff_report"),
        folder=subpath(output.page, parent=True),
    message:
        "Drawing the report of {wildcards.experiment}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/tradeoff_report.py --models {input.models} --selection {input.selection}'
        " --comparisons {input.comparisons} --deployments {input.deployments} --predictions {input.predictions}"
        " --metrics {input.metrics} --histories {input.histories} --searches {input.searches}"
        " --candidates {input.candidates} --impacts {input.impacts} --kernel-sets {input.kernel_sets}"
        " --provenance {input.provenance} --layers {input.layers} --exports {input.exports}"
        " --findings {input.findings}"
        " --experiment {wildcards.experiment} --settings {params.settings:q} --page {output.page}"
        " --figures {params.folder}/figures >{log} 2>&1"
