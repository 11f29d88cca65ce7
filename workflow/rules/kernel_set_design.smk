# Step 2: which sets of kernel sizes are worth a search.
rule kernel_set_design:
    input:
        script=script("kernel_set_design"),
        impact="results/{experiment}/{dataset}/kernel_impact/impact.csv",
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
    output:
        sets="results/{experiment}/{dataset}/kernel_set_design/kernel_sets.json",
        provenance="results/{experiment}/{dataset}/kernel_set_design/provenance.json",
    log:
        "logs/{experiment}/{dataset}/kernel_set_design.log",
    conda:
        "../../envs/kernel_set_design.yaml"
    params:
        settings=as_yaml("kernel_set_design"),
        network=as_yaml("datasets/{dataset}/network"),
        search=as_yaml("nas_search"),
    message:
        "Devising kernel sets for {wildcards.dataset}"
    shell:
        "python {input.script[0]} --impact {input.impact} --manifest {input.manifest}"
        " --settings {params.settings:q} --network {params.network:q} --search {params.search:q}"
        " --output {output.sets} >{log} 2>&1"
