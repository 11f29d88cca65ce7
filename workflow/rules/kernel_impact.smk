# Step 1: the impact of the kernel size on accuracy, at the same width and at the same size.
rule kernel_impact:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        weights=weights("datasets/{dataset}/kernel_impact"),
    output:
        metrics="results/{experiment}/{dataset}/kernel_impact/{control}/k-{kernel_size}/seed-{seed}/metrics.json",
        history="results/{experiment}/{dataset}/kernel_impact/{control}/k-{kernel_size}/seed-{seed}/history.csv",
        provenance="results/{experiment}/{dataset}/kernel_impact/{control}/k-{kernel_size}/seed-{seed}/provenance.json",
    log:
        "logs/{experiment}/{dataset}/kernel_impact/{control}_k-{kernel_size}_seed-{seed}.log",
    conda:
        "../../envs/kernel_impact.yaml"
    threads: lookup(dpath="threads", within=config)
    resources:
        gpu_jobs=GPU_JOBS,
    params:
        code=code(
            "kernel_impact",
            "datasets/{dataset}/network",
            "datasets/{dataset}/kernel_impact",
        ),
        reference_cell=lookup(dpath="kernel_impact/reference_cell", within=config),
        network=settings("datasets/{dataset}/network"),
        training=settings("datasets/{dataset}/kernel_impact"),
        device=lookup(dpath="device", within=config),
    message:
        "Training the {wildcards.kernel_size}x{wildcards.kernel_size} reference net on {wildcards.dataset} ({wildcards.control}, seed {wildcards.seed})"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/kernel_impact.py --manifest {input.manifest} --kernel-size {wildcards.kernel_size}'
        " --control {wildcards.control} --seed {wildcards.seed}"
        " --reference-cell {params.reference_cell} --network {params.network:q}"
        " --training {params.training:q} --device {params.device} --threads {threads}"
        " --metrics {output.metrics} --history {output.history} >{log} 2>&1"


# One row per kernel size and control, with the spread over seeds.
rule kernel_impact_table:
    input:
        metrics=impact_metrics,
    output:
        impact="results/{experiment}/{dataset}/kernel_impact/impact.csv",
        provenance="results/{experiment}/{dataset}/kernel_impact/provenance.json",
    log:
        "logs/{experiment}/{dataset}/kernel_impact_table.log",
    conda:
        "../../envs/kernel_set_design.yaml"
    params:
        code=code("kernel_impact_table"),
    message:
        "Collecting the impact of kernel sizes on {wildcards.dataset}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/kernel_impact_table.py --metrics {input.metrics} --impact {output.impact}'
        " >{log} 2>&1"
