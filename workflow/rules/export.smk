# Step 6: the model chosen for a memory budget, as files for devices. Where NIR can express the
# net, model.nir lies beside these files; export.json says so, or why not.
rule export:
    input:
        manifest="results/{experiment}/{dataset}/prepare_data/manifest.json",
        arrays=arrays,
        selection="results/{experiment}/tradeoff_report/selection.csv",
        metrics=final_files_of("metrics.json"),
        models=final_files_of("model.safetensors"),
    output:
        report="results/{experiment}/{dataset}/export/export.json",
        card="results/{experiment}/{dataset}/export/MODEL_CARD.md",
        onnx="results/{experiment}/{dataset}/export/model.onnx",
        onnx_int8="results/{experiment}/{dataset}/export/model_int8.onnx",
        images="results/{experiment}/{dataset}/export/images.u8",
        labels="results/{experiment}/{dataset}/export/labels.u16",
        classes="results/{experiment}/{dataset}/export/classes.txt",
        sources=expand(
            "results/{{experiment}}/{{dataset}}/export/c_{weights}/{name}",
            weights=CHECKED.export.c_weights,
            name=C_FILES,
        ),
        archive="results/{experiment}/{dataset}/export/model.zip",
        provenance="results/{experiment}/{dataset}/export/provenance.json",
    log:
        "logs/{experiment}/{dataset}/export.log",
    conda:
        "../../envs/export.yaml"
    threads: lookup(dpath="threads", within=config)
    params:
        code=code("export", "datasets/{dataset}/network"),
        export=settings("export", without=["enabled"]),
    message:
        "Exporting the chosen model of {wildcards.dataset}"
    shell:
        'python "$SPIKERNEL_SCRIPTS"/export.py --manifest {input.manifest} --metrics {input.metrics}'
        " --selection {input.selection} --export {params.export:q} --threads {threads}"
        " --report {output.report} >{log} 2>&1"
