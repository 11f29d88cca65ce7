# Step 3: architecture search over the cells of one kernel set, without training.
rule nas_search:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        kernel_sets=kernel_sets,
        parts=search_parts,
    output:
        candidates="results/{experiment}/{dataset}/nas_search/{kernel_set}/candidates.csv",
        search_record="results/{experiment}/{dataset}/nas_search/{kernel_set}/search.json",
        provenance="results/{experiment}/{dataset}/nas_search/{kernel_set}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/nas_search/{kernel_set}.log",
    conda:
        "../../envs/nas_search.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code("nas_search", "datasets/{dataset}/network", "nas_search"),
        network=settings("datasets/{dataset}/network"),
        search=settings("nas_search"),
        searched_set=searched_set,
        device=lookup(dpath="device", within=config),
    message:
        "Searching kernel set {wildcards.kernel_set} on {wildcards.dataset}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/nas_search.py --manifest {input.manifest} {params.searched_set}'
        " --network {params.network:q}"
        " --search {params.search:q} --device {params.device} --threads {threads}"
        " --parts {input.parts} --candidates {output.candidates} --search-record {output.search_record}"
        " >{log} 2>&1"


# One of the jobs that a search is split into where nas_search/shards is more than 1.
rule nas_search_shard:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        kernel_sets=kernel_sets,
    output:
        part="results/{experiment}/{dataset}/nas_search/{kernel_set}/shards/{shard}.jsonl",
    log:
        "logs/{experiment}/{dataset}/nas_search/{kernel_set}_shard-{shard}.log",
    conda:
        "../../envs/nas_search.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code("nas_search_shard", "datasets/{dataset}/network", "nas_search"),
        network=settings("datasets/{dataset}/network"),
        search=settings("nas_search"),
        searched_set=searched_set,
        device=lookup(dpath="device", within=config),
    message:
        "Searching kernel set {wildcards.kernel_set} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/nas_search_shard.py --manifest {input.manifest} {params.searched_set}'
        " --network {params.network:q}"
        " --search {params.search:q} --device {params.device} --threads {threads}"
        " --shard {wildcards.shard} --part {output.part} >{log} 2>&1"
