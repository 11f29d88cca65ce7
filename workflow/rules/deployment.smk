# Between steps 4 and 5: what a device gets from each trained model. An edit of the way out to
# devices measures this again, and trains nothing.
rule deployment:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        metrics="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/metrics.json",
        model="results/{experiment}/{dataset}/train_final/{kernel_set}/rank-{rank}{width}/seed-{seed}/model.safetensors",
    output:
        deployment="results/{experiment}/{dataset}/deployment/{kernel_set}/rank-{rank}{width}/seed-{seed}/deployment.json",
        predictions="results/{experiment}/{dataset}/deployment/{kernel_set}/rank-{rank}{width}/seed-{seed}/predictions.npz",
        provenance="results/{experiment}/{dataset}/deployment/{kernel_set}/rank-{rank}{width}/seed-{seed}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/deployment/{kernel_set}_rank-{rank}{width}_seed-{seed}.log",
    conda:
        "../../envs/deployment.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code("deployment", "datasets/{dataset}/network"),
        device=lookup(dpath="device", within=config),
    message:
        "Measuring kernel set {wildcards.kernel_set}, rank {wildcards.rank}{wildcards.width}, on {wildcards.dataset} as deployed (seed {wildcards.seed})"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/deployment.py --manifest {input.manifest} --metrics {input.metrics}'
        " --model {input.model} --device {params.device} --threads {threads}"
        " --deployment {output.deployment} --predictions {output.predictions} >{log} 2>&1"
