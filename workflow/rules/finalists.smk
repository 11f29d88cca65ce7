# Step 3 with nas_search/finalists: the best by score, and some others, are trained by successive
# halving; the ranking rests on their validation accuracy.
rule finalist_rung:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        candidates="results/{experiment}/{dataset}/nas_search/{kernel_set}/candidates.csv",
        parts=parts_before,
        weights=[*RUNGS.training.weights().values()],
    output:
        part="results/{experiment}/{dataset}/finalists/{kernel_set}/rung-{rung}/{shard}.jsonl",
    log:
        "logs/{experiment}/{dataset}/finalists/{kernel_set}_rung-{rung}_shard-{shard}.log",
    conda:
        "../../envs/train_final.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code("finalist_rung", "datasets/{dataset}/network", "finalist_training"),
        finalists=FINALISTS,
        network=settings("datasets/{dataset}/network"),
        training=settings("finalist_training"),
        device=lookup(dpath="device", within=config),
    message:
        "Training finalists of kernel set {wildcards.kernel_set} on {wildcards.dataset}, rung {wildcards.rung}, shard {wildcards.shard}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/finalist_rung.py --manifest {input.manifest} --candidates {input.candidates}'
        " --parts {input.parts} --finalists {params.finalists} --network {params.network:q}"
        " --training {params.training:q} --device {params.device} --threads {threads}"
        " --rung {wildcards.rung} --shard {wildcards.shard} --part {output.part}"
        " --share results/{wildcards.experiment}/{wildcards.dataset}/finalists >{log} 2>&1"


rule finalist_ranking:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        candidates="results/{experiment}/{dataset}/nas_search/{kernel_set}/candidates.csv",
        search="results/{experiment}/{dataset}/nas_search/{kernel_set}/search.json",
        parts=parts_of_all_rungs,
    output:
        ranked="results/{experiment}/{dataset}/finalists/{kernel_set}/candidates.csv",
        search_record="results/{experiment}/{dataset}/finalists/{kernel_set}/search.json",
        provenance="results/{experiment}/{dataset}/finalists/{kernel_set}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/finalists/{kernel_set}.log",
    conda:
        "../../envs/kernel_set_design.yaml"
    params:
        code=code("finalist_ranking"),
        finalists=FINALISTS,
        network=settings("datasets/{dataset}/network"),
        training=settings("finalist_training"),
    message:
        "Ranking kernel set {wildcards.kernel_set} on {wildcards.dataset} by its finalists"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/finalist_ranking.py --manifest {input.manifest} --candidates {input.candidates}'
        " --search {input.search} --parts {input.parts} --finalists {params.finalists}"
        " --network {params.network:q} --training {params.training:q}"
        " --ranked {output.ranked} --search-record {output.search_record} >{log} 2>&1"
