# Step 2: which sets of kernel sizes are worth a search.
rule kernel_set_design:
    input:
        impact="results/{experiment}/{dataset}/kernel_impact/impact.csv",
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
    output:
        kernel_sets="results/{experiment}/{dataset}/kernel_set_design/kernel_sets.json",
        provenance="results/{experiment}/{dataset}/kernel_set_design/provenance.json",
    log:
        "logs/{experiment}/{dataset}/kernel_set_design.log",
    conda:
        "../../envs/kernel_set_design.yaml"
    params:
        code=code("kernel_set_design"),
        design=settings("kernel_set_design"),
        network=settings("datasets/{dataset}/network"),
        search=settings("nas_search", without=["score", "shards"]),
    message:
        "Devising kernel sets for {wildcards.dataset}"
    shell:
        "python {SCRIPTS:q}/kernel_set_design.py --impact {input.impact} --manifest {input.manifest}"
        " --design {params.design:q} --network {params.network:q} --search {params.search:q}"
        " --kernel-sets {output.kernel_sets} >{log} 2>&1"
