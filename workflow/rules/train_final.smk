# Step 4: train the best candidates of every search; test each once.
rule train_final:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        candidates=f"results/{{experiment}}/{{dataset}}/{RANKED}/{{kernel_set}}/candidates.csv",
        search=f"results/{{experiment}}/{{dataset}}/{RANKED}/{{kernel_set}}/search.json",
        weights=weights("datasets/{dataset}/train_final"),
    output:
        metrics="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/metrics.json",
        history="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/history.csv",
        layers="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/layers.csv",
        model="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/model.safetensors",
        provenance="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/train_final/{kernel_set}_rank-{rank}{width}_seed-{seed}.log",
    conda:
        "../../envs/train_final.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code(
            "train_final",
            "datasets/{dataset}/network",
            "datasets/{dataset}/train_final",
        ),
        network=settings("datasets/{dataset}/network"),
        training=settings("datasets/{dataset}/train_final"),
        width=lambda wildcards: WIDTHS[wildcards.width],
        device=lookup(dpath="device", within=config),
    message:
        "Training kernel set {wildcards.kernel_set}, rank {wildcards.rank}{wildcards.width}, on {wildcards.dataset} (seed {wildcards.seed})"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/train_final.py --manifest {input.manifest} --candidates {input.candidates}'
        " --search {input.search} --rank {wildcards.rank} --width {params.width} --seed {wildcards.seed}"
        " --network {params.network:q} --training {params.training:q} --device {params.device}"
        " --threads {threads} --metrics {output.metrics} --history {output.history}"
        " --layers {output.layers} --model {output.model}"
        " --share results/{wildcards.experiment}/{wildcards.dataset}/train_final >{log} 2>&1"
