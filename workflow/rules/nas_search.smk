# Step 3: architecture search over the cells of one kernel set, without training.
rule nas_search:
    input:
        script=script("nas_search"),
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        sets="results/{experiment}/{dataset}/kernel_set_design/kernel_sets.json",
        parts=search_parts,
    output:
        candidates="results/{experiment}/{dataset}/nas_search/{kernel_set}/candidates.csv",
        search="results/{experiment}/{dataset}/nas_search/{kernel_set}/search.json",
        provenance="results/{experiment}/{dataset}/nas_search/{kernel_set}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/nas_search/{kernel_set}.log",
    conda:
        "../../envs/nas_search.yaml"
    threads: lookup(dpath="threads", within=config)
    params:
        network=as_yaml("datasets/{dataset}/network"),
        settings=as_yaml("nas_search"),
        device=lookup(dpath="device", within=config),
    message:
        "Searching kernel set {wildcards.kernel_set} on {wildcards.dataset}"
    shell:
        "python {input.script[0]} --manifest {input.manifest} --kernel-sets {input.sets}"
        " --kernel-set {wildcards.kernel_set} --network {params.network:q}"
        " --settings {params.settings:q} --device {params.device} --threads {threads}"
        " --parts {input.parts} --candidates {output.candidates} --search {output.search}"
        " >{log} 2>&1"


# One of the jobs that a search is split into where nas_search/shards is more than 1.
rule nas_search_shard:
    input:
        script=script("nas_search_shard"),
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        sets="results/{experiment}/{dataset}/kernel_set_design/kernel_sets.json",
    output:
        "results/{experiment}/{dataset}/nas_search/{kernel_set}/shards/{shard}.jsonl",
    log:
        "logs/{experiment}/{dataset}/nas_search/{kernel_set}_shard-{shard}.log",
    conda:
        "../../envs/nas_search.yaml"
    threads: lookup(dpath="threads", within=config)
    params:
        network=as_yaml("datasets/{dataset}/network"),
        settings=as_yaml("nas_search"),
        device=lookup(dpath="device", within=config),
    message:
        "Searching kernel set {wildcards.kernel_set} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        "python {input.script[0]} --manifest {input.manifest} --kernel-sets {input.sets}"
        " --kernel-set {wildcards.kernel_set} --network {params.network:q}"
        " --settings {params.settings:q} --device {params.device} --threads {threads}"
        " --shard {wildcards.shard} --output {output} >{log} 2>&1"
