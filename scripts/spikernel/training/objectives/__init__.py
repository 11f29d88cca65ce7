"""What a training minimises: each module is one objective, which a configuration names.

A module defines a class `Objective(settings: TrainingConfig, manifest: Manifest, device)` whose
instances are called with the outputs of a net and the batch they belong to, and return a scalar:

    objective(logits: Tensor, batch: MixedBatch) -> Tensor

`logits` are float32 [T, N, K] with their gradient; `batch` holds the images and the labels of the
outputs, and weighs two labels per image where images are mixed (`MixedBatch.weigh`).
"""
