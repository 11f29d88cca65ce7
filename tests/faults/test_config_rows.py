"""Configurations that are refused before anything runs, with file, line and key."""

from pathlib import Path

from runner import Row, check, rows

BASE = """\
experiment: x
datasets: {digits: {train_images: 200}}
network: {time_steps: 2, channels: 4, pool: 2, hidden: 8, votes: 1}
"""
COMMAND = "adopt --config e.yaml"


def _row(name: str, text: str, expected: str) -> Row:
    """A row of a configuration that holds `text`, instead of a key of BASE or beside it."""
    key = text.split(":")[0]
    kept = [line for line in BASE.splitlines() if not line.startswith(f"{key}:")]
    return Row(name, COMMAND, expected, {"e.yaml": "\n".join([text.rstrip(), *kept, ""])})


ONE_KEY = [
    ("threads zero", "threads: 0", "line 1: threads: must be at least 1 (found 0)"),
    ("threads true", "threads: true", "line 1: threads: must be a number, not true or false"),
    ("threads text", "threads: two", "threads: must be a whole number (found 'two')"),
    ("device", "device: gpu", "device: must be 'auto', 'cpu' or 'cuda' (found 'gpu')"),
    ("no data set", "datasets: {}", "datasets: datasets must name at least one data set"),
    ("data sets as list", "datasets: [digits]", "datasets: must hold keys and values"),
    ("unknown kind", "datasets: {flowers: }", "datasets/flowers: must be one of cifar10"),
    ("experiment path", "experiment: a/b", "experiment: must begin with a letter or a digit"),
    ("experiment number", "experiment: 2024", "experiment: must be text: put it in quotes"),
    ("data_dir list", "data_dir: [a]", "data_dir: must be text: put it in quotes"),
    ("unknown key", "kernel_impakt: {}", "unknown key; did you mean 'kernel_impact'?"),
    ("unknown far key", "zzzz: 1", "zzzz: unknown key; known keys are experiment"),
]
NETWORK = [
    ("macro", "macro: huge", "network/macro: must be 'snasnet', 'modern' or 'compact'"),
    ("time steps", "time_steps: 0", "network/time_steps: must be at least 1 (found 0)"),
    ("too many time steps", "time_steps: 65", "network/time_steps: must be at most 64"),
    ("channels fraction", "channels: 2.5", "network/channels: must be a whole number (found 2.5)"),
    ("channels absurd", "channels: 1000000000", "network/channels: must be at most 1000000"),
    ("channels infinite", "channels: .inf", "network/channels: must be a finite number"),
    ("stages", "stages: 9", "network/stages: must be at most 6 (found 9)"),
    ("too deep", "{stages: 5, head: gap}", "lower network/stages or network/stem_stride"),
    ("pool", "pool: 5", "network/pool 5 is larger than the 4x4 maps before the head"),
    ("widths", "stage_widths: [1]", "stage_widths lists 1 stages, but stages is 2"),
    ("width zero", "stage_widths: [1, 0]", "network/stage_widths/1: must be above 0"),
    ("dropout", "dropout: 1.0", "network/dropout: must be below 1.0"),
    ("dropout nan", "dropout: .nan", "network/dropout: must be a finite number"),
    ("neuron", "neuron: izhikevich", "network/neuron: must be one of if_soft, integer, lif"),
    ("integer neurons", "neuron: integer", "have no memory from one time step to the next"),
    ("threshold", "threshold: -1", "network/threshold: must be above 0"),
    ("tau", "tau: 1.0", "network/tau: must be above 1.0"),
    ("levels", "levels: 256", "network/levels: must be at most 255"),
    ("residual", "residual: often", "network/residual: must be true or false (found 'often')"),
    ("1x1 depthwise", "convolutions: {1: depthwise}", "a 1x1 convolution is dense: remove size 1"),
    ("even size", "convolutions: {4: dense}", "network/convolutions/4: a kernel size must be odd"),
    ("unused size", "convolutions: {9: dense}", "names size 9, which no kernel set holds"),
    ("convolutions list", "convolutions: [dense]", "network/convolutions: must be 'dense'"),
    ("stem channels", "stem_channels: 6", "is not the 4 channels of the first stage"),
    ("whitened", "stem_weights: whitened, stem_channels: 32", "network/stem_channels 32"),
    ("whitened odd", "stem_weights: whitened, channels: 5", "an even number of at most 18"),
    ("misspelt", "chanels: 4", "network/chanels: unknown key; did you mean 'channels'?"),
]
TRAINING = [
    ("epochs", "epochs: 0", "train_final/training/epochs: must be at least 1 (found 0)"),
    ("recipe", "recipe: best", "training/recipe: must be 'reference', 'modern' or 'engine'"),
    ("optimizer", "optimizer: adam", "training/optimizer: must be 'sgd', 'adamw' or 'muon'"),
    ("learning rate", "learning_rate: 0", "training/learning_rate: must be above 0"),
    ("rate as text", "learning_rate: 1e-3x", "training/learning_rate: must be a number"),
    ("momentum", "momentum: 1", "training/momentum: must be below 1.0"),
    ("batch size", "batch_size: -4", "training/batch_size: must be at least 1"),
    (
        "batch above the images", "batch_size: 500",
        "training/batch_size: a step takes 500 training images, but data set digits has 180",
    ),
    (
        "batch of a recipe", "{recipe: engine, epochs: 3}",
        "train_final/training/batch_size: a step takes 200",
    ),
    ("objective", "objective: hinge", "training/objective: must be one of distil, mean, tet"),
    ("no teacher", "objective: distil", "distil needs a teacher: name released weights"),
    (
        "lost teacher", "{objective: distil, teacher: no/model.safetensors}",
        "train_final/training/teacher: no/model.safetensors is missing: train it first",
    ),
    (
        "lost start", "initial_weights: no/model.safetensors",
        "train_final/training/initial_weights: no/model.safetensors is missing: train it first",
    ),
    ("smoothing", "label_smoothing: 1", "training/label_smoothing: must be below 1.0"),
    ("warm-up", "warmup_fraction: 2", "training/warmup_fraction: must be below 1.0"),
    ("decay", "weight_decay: -1", "training/weight_decay: must be at least 0"),
    ("padding", "crop_padding: -1", "training/crop_padding: must be at least 0"),
    ("two averages", "{lookahead: true, ema_decay: 0.9}", "both choose the weights to keep"),
    ("bfloat16", "cpu_bfloat16: maybe", "training/cpu_bfloat16: must be true or false or 'auto'"),
    ("phases", "phases: 3", "training/phases: must be a list"),
    ("empty phase", "phases: [{}]", "training/phases/0/epochs: this key is missing"),
    (
        "phases and epochs", "{epochs: 3, phases: [{epochs: 1}]}",
        "epochs is 3, but the phases have 1",
    ),
    (
        "unknown module", "phases: [{epochs: 1, freeze: [stem, cell9]}]",
        "training/phases/0/freeze: on data set digits: it must name the first modules",
    ),
    (
        "all frozen", "phases: [{epochs: 1, freeze: [stem, cell1, transition, cell2, head]}]",
        "without a gap and not all of stem, cell1, transition, cell2, head",
    ),
    ("tet and rates", "{objective: tet, phases: [{epochs: 1, gradient: rate}]}", "objective tet"),
    ("phase neuron", "phases: [{epochs: 1, neuron: x}]", "phases/0/neuron: must be one of"),
    ("phase typo", "phases: [{epoch: 1}]", "unknown key; did you mean 'epochs'?"),
]  # fmt: skip
SECTIONS = [
    ("no size 3", "kernel_impact: {kernel_sizes: [1, 5]}", "kernel_sizes must hold 3"),
    ("even kernel", "kernel_impact: {kernel_sizes: [2, 3]}", "must be odd and positive, got 2"),
    ("kernel twice", "kernel_impact: {kernel_sizes: [3, 3]}", "must not repeat a size"),
    (
        "kernel above image", "kernel_impact: {kernel_sizes: [1, 3, 9]}",
        "kernel size 9 is larger than the 8x8 images of data set digits",
    ),
    ("control", "kernel_impact: {controls: [same]}", "controls/0: must be 'plain' or"),
    ("control twice", "kernel_impact: {controls: [plain, plain]}", "at least one control and none"),
    ("no seeds", "kernel_impact: {seeds: []}", "must list at least one value and none twice"),
    ("seed twice", "train_final: {seeds: [1, 1]}", "must list at least one value and none twice"),
    ("seed large", "train_final: {seeds: [4294967296]}", "must be below 4294967296"),
    ("seed bool", "train_final: {seeds: [true]}", "seeds: must be a number, not true or false"),
    ("ranks", "train_final: {ranks: 0}", "train_final/ranks: must be at least 1"),
    ("width twice", "train_final: {widths: [1, 1]}", "must list at least one value and none twice"),
    ("width zero", "train_final: {widths: [0]}", "widths/0: must be at least 0.01"),
    ("width of a set", "train_final: {widths: {k1: [2]}}", "widths/k1: there is no such kernel"),
    (
        "width and budget",
        "nas_search: {budget: {max_params: 99999}}\ntrain_final: {widths: [2]}",
        "nets of width 2 may be beyond nas_search/budget",
    ),
    (
        "no conv", "kernel_impact: {reference_cell: [zero, zero, skip, zero, zero, zero]}",
        "reference_cell needs at least one conv edge",
    ),
    (
        "dead cell", "kernel_impact: {reference_cell: [conv, zero, zero, zero, zero, zero]}",
        "no path leads from its input",
    ),
    ("keep", "kernel_set_design: {keep: 0}", "kernel_set_design/keep: must be at least 1"),
    ("keep much", "kernel_set_design: {keep: 99}", "sets beside the baseline can be made"),
    ("sizes per set", "kernel_set_design: {sizes_per_set: [5]}", "must be at most 4"),
    ("not measured", "kernel_set_design: {fixed: [[3, 9]]}", "kernel size 9 of kernel_set_design"),
    ("fixed empty", "kernel_set_design: {fixed: [[]]}", "must hold at least one kernel size"),
    ("strategy", "nas_search: {strategy: best}", "must be 'random', 'exhaustive' or 'evolution'"),
    ("score", "nas_search: {score: ntk}", "nas_search/score: must be one of"),
    ("budget", "nas_search: {budget: {max_params: 5}}", "no architecture meets the budget"),
    ("budget zero", "nas_search: {budget: {max_memory_mb: 0}}", "must be above 0"),
    ("evolution", "nas_search: {strategy: evolution, shards: 2}", "remove shards and prefilter"),
    ("thresholds", "nas_search: {thresholds: [1, 1]}", "must list positive thresholds, none twice"),
    ("batch of one", "nas_search: {batch_size: 1}", "nas_search/batch_size: must be at least 2"),
    (
        "batches", "nas_search: {score: sahd_half, batch_size: 600, batches: 3}",
        "batch_size x batches = 1800 training images, but data set digits has",
    ),
    (
        "batches of few", "nas_search: {score: sahd_half, batch_size: 100}",
        "batch_size x batches = 200 training images, but data set digits has 180 at most",
    ),
    (
        "batches of finalists", "nas_search: {finalists: 4}",
        "finalist_training/training/batch_size: a step takes 200 training images, but data set",
    ),
    (
        "prefilter", "nas_search: {score: sahd_half, iterations: 5, prefilter: 9}",
        "prefilter is 9, but only 5 cells are drawn",
    ),
    (
        "prefilter and feedback", "nas_search: {cells: feedback, prefilter: 9}",
        "the prefilter knows forward cells only",
    ),
    ("prefilter of counts", "nas_search: {prefilter: 9}", "rising_path allows no prefilter"),
    ("tournament", "nas_search: {strategy: evolution, tournament: 0}", "must be at least 1"),
    ("budgets", "tradeoff_report: {memory_budgets_mb: []}", "must have at least 1 entries, not 0"),
    ("budget sign", "tradeoff_report: {memory_budgets_mb: [-1]}", "must be above 0"),
    (
        "nothing fits", "tradeoff_report: {memory_budgets_mb: [0.001]}",
        "no net on data set digits fits 0.001 MB",
    ),
    ("flash", "tradeoff_report: {flash_budgets_kb: [0]}", "flash_budgets_kb/0: must be above 0"),
    (
        "nothing fits, and another fault",
        "tradeoff_report: {memory_budgets_mb: [0.001]}\nkernel_set_design: {keep: 0}",
        "no net on data set digits fits 0.001 MB",
    ),
    (
        "no net for flash", "tradeoff_report: {flash_budgets_kb: [0.5, 0.2]}",
        "tradeoff_report/flash_budgets_kb: no net on data set digits fits 0.5 kB: the int8 weights",
    ),
    (
        "no net for RAM", "tradeoff_report: {ram_budgets_kb: [0.01]}",
        "tradeoff_report/ram_budgets_kb: no net on data set digits fits 0.01 kB: the largest map",
    ),
    ("other budget", "export: {memory_budget_mb: 7}", "is not among tradeoff_report/memory_budget"),
    ("weights", "export: {c_weights: [int4]}", "export/c_weights/0: must be 'int8' or 'float'"),
    ("weights twice", "export: {c_weights: [int8, int8]}", "must name nothing twice"),
    ("images", "export: {images: 0}", "export/images: must be at least 1"),
    ("image size", "datasets: {digits: {image_size: 16}}", "image_size is fixed for digits"),
    ("no image size", "datasets: {mine: {kind: imagefolder}}", "needs image_size"),
    ("size small", "datasets: {mine: {kind: imagefolder, image_size: 3}}", "must be at least 4"),
    ("validation", "datasets: {digits: {validation_fraction: 0.9}}", "must be below 0.9"),
    ("subset", "datasets: {digits: {train_images: 1}}", "train_images: must be at least 2"),
    ("altered", "datasets: {digits: {accept_altered: true}}", "has no meaning for kind digits"),
    ("own network", "datasets: {digits: {network: {tau: 0}}}", "datasets/digits/network/tau"),
    ("own epochs", "datasets: {digits: {train_final: {epochs: 0}}}", "train_final/epochs: must be"),
    (
        "own batches", "datasets: {digits: {train_images: 80, train_final: {batch_size: 128}}}",
        "datasets/digits/train_final/batch_size: a step takes 128 training images, but data set",
    ),
    (
        "own teacher",
        "datasets: {digits: {train_final: {objective: distil, teacher: no.safetensors}}}",
        "datasets/digits/train_final/teacher: no.safetensors is missing",
    ),
]  # fmt: skip


SMALL = {"time_steps": "2", "channels": "4", "pool": "2", "hidden": "8", "votes": "1"}


def _inner(text: str) -> str:
    """Return several keys that stand in braces without these."""
    return text[1:-1] if text.startswith("{") else text


def _network(text: str) -> str:
    """Return keys beside those of a small net which they do not set."""
    given = f" {_inner(text)}"
    rest = [f"{key}: {value}" for key, value in SMALL.items() if f" {key}:" not in given]
    return ", ".join([given.strip(), *rest])


ROWS = [
    *(_row(name, text, expected) for name, text, expected in ONE_KEY),
    *(
        _row(f"network {name}", f"network: {{{_network(text)}}}", expected)
        for name, text, expected in NETWORK
    ),
    *(
        _row(f"training {name}", f"train_final: {{training: {{{_inner(text)}}}}}", expected)
        for name, text, expected in TRAINING
    ),
    *(_row(name, text, expected) for name, text, expected in SECTIONS),
]


@rows(ROWS)
def test_config(row: Row, tmp_path: Path) -> None:
    check(row, tmp_path)
