# Find or download a data set, check it, split it, and store it as arrays.
rule prepare_data:
    output:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=expand(
            "results/{{experiment}}/{{dataset}}/prepare_data/{name}", name=ARRAY_FILES
        ),
        findings="results/{experiment}/{dataset}/prepare_data/findings.json",
        provenance="results/{experiment}/{dataset}/prepare_data/provenance.json",
    log:
        "logs/{experiment}/{dataset}/prepare_data.log",
    conda:
        "../../envs/prepare_data.yaml"
    params:
        code=code("prepare_data", "datasets/{dataset}/data"),
        data=settings("datasets/{dataset}/data"),
        own_images=own_images,
        # Where the files lie changes no result: the variable comes from common.smk. What is taken
        # without it alone is a parameter.
        default_dir="data",
    message:
        "Preparing {wildcards.dataset}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/prepare_data.py --dataset {wildcards.dataset} --data {params.data:q}'
        ' --data-dir "${{SPIKERNEL_DATA-{params.default_dir}}}"'
        " --manifest {output.manifest} >{log} 2>&1"
