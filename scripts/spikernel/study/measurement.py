"""The record of a finished training, as it goes into docs/measurements."""

from pathlib import Path

from spikernel import artifacts, provenance
from spikernel.errors import DataError
from spikernel.study import deployment
from spikernel.tables import read_csv

HISTORY = (
    "epoch", "learning_rate", "train_loss", "train_accuracy_percent", "val_accuracy_percent",
    "seconds",
)  # fmt: skip

METRICS = (
    "dataset", "test_accuracy_percent", "one_pass_test_accuracy_percent", "binary_steps",
    "val_accuracy_percent", "params", "memory_mb_fp32",
    "time_steps", "epochs", "archid", "kernel_sizes", "seed", "device",
    "images_per_second", "training_flop_per_image", "training_flop", "flop_rule",
    "training_precision",
)  # fmt: skip
DEPLOYED = ("int8_test_accuracy_percent", "int8_bytes", "not_exported")


def check_name(output: Path, dataset: str) -> None:
    """Refuse a record that is not named by its data set.

    Raises:
        DataError: it is not.

    """
    if not output.name.startswith(f"{dataset}-"):
        raise DataError(f"{output}: the name must begin with '{dataset}-'")


def write_measurement(metrics_path: Path, deployment_path: Path, output: Path) -> None:
    """Join metrics, history, deployment and provenance of one trained model into one file.

    Args:
        metrics_path: metrics.json of train_final; history.csv and provenance.json lie beside it.
        deployment_path: deployment.json of the same model.
        output: the record; named <dataset>-<name>.json.

    Raises:
        SpikernelError: a file is missing.
        DataError: the files are not of one training, or the name does not fit.

    """
    metrics = artifacts.read_object(metrics_path, *METRICS, "train_seconds")
    made = provenance.read(metrics_path.with_name(provenance.RECORD), "outputs")
    history_path = metrics_path.with_name("history.csv")
    check_name(output, metrics["dataset"])
    for path in (metrics_path, history_path):
        if made["outputs"].get(path.name) != artifacts.file_hash(path):
            raise DataError(f"{path} is not the one that {path.with_name(provenance.RECORD)} names")
    model = metrics_path.with_name("model.safetensors")
    if not deployment.is_done(deployment.Outputs.in_folder(deployment_path.parent), model):
        raise DataError(f"{deployment_path} is not of {model}: run deployment on it again")
    deployed = artifacts.read_object(deployment_path, *DEPLOYED)
    history = read_csv(history_path, numbers=HISTORY).astype({"epoch": int})
    artifacts.write_json(
        output,
        {
            **{key: metrics[key] for key in METRICS},
            **{key: deployed[key] for key in DEPLOYED},
            "seconds": metrics["train_seconds"],
            "versions": {"python": made["python"], **made["packages"]},
            "code": made["code"],
            "finished": made["finished"],
            "config": {key: made["settings"][key] for key in ("network", "training", "threads")},
            "history": history[list(HISTORY)].to_dict("records"),
        },
    )
