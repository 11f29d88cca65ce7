"""What a training minimises: each module is one objective, which a configuration names.

A module defines a class `Objective(settings: TrainingConfig, manifest: Manifest, device)` whose
instances are called with the outputs of a net and the batch they belong to, and return a scalar:

    objective(logits: Tensor, batch: MixedBatch) -> Tensor

The loss is a mean per image, of the size of a cross-entropy: one that ends above ten times that of
guessing counts as diverged. `Objective` depends on its arguments and its own tensors alone, since a
CUDA graph records a step once; one that counts steps sets `graphable = False`. Literals of the
module say more: `USES_TEACHER = True` where it takes `teacher`, `READS_STEPS = True` where it looks
at single time steps, of which `gradient: rate` knows the mean alone.

`logits` are float32 [T, N, K] with their gradient; `batch` holds the images and the labels of the
outputs, and weighs two labels per image where images are mixed (`MixedBatch.weigh`).
"""
