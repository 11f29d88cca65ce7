"""Whether the files of a model that different jobs wrote are of one training. No torch.

A record vouches for each file alone, and may be lost; these files say the same of a net twice.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from spikernel import artifacts, provenance, tables
from spikernel.errors import DataError
from spikernel.report.tables.predictions import Predictions
from spikernel.report.tables.records import MODEL_KEY, Key, named
from spikernel.study.rounding import images_apart, most_apart


def check_accuracies(models: pd.DataFrame, found: Mapping[Key, Predictions]) -> None:
    """Refuse predictions that do not have the accuracies which the model table has.

    The test accuracy comes from the training, so that rounding may differ; that in int8 comes from
    the job that wrote the predictions.

    Args:
        models: rows of models.csv.
        found: predictions of models and seeds.

    Raises:
        DataError: the two are not of the same weights.

    """
    for row in tables.records(models):
        key = tuple(row[name] for name in MODEL_KEY)
        if key not in found:
            continue
        predicted = found[key]
        images = len(predicted.label)
        recorded = {"trained": (row["test_accuracy_percent"], most_apart(images))}
        if len(predicted.int8) and not pd.isna(row["int8_test_accuracy_percent"]):
            recorded["int8"] = (row["int8_test_accuracy_percent"], 0)
        for weights, (said, most) in recorded.items():
            reached = 100 * float(predicted.right(weights).mean())
            if images_apart(reached, said, images) > most:
                raise DataError(
                    f"{named(key)}: the predictions are right on {reached:.2f} % of {images} test "
                    f"images ({weights}), and {said:.2f} % is recorded: the files were "
                    "altered or are of different trainings: run the step deployment again"
                )


def check_deployments(metrics: Sequence[Path], deployments: Sequence[Path]) -> None:
    """Refuse deployments whose records name other trainings than those given.

    Args:
        metrics: metrics.json of models.
        deployments: deployment.json of models; one without a record is taken as it is.

    Raises:
        DataError: a model was trained anew since it was deployed.

    """
    trained = {artifacts.file_hash(path) for path in metrics}
    for path in deployments:
        for record in sorted(path.parent.glob("provenance*.json")):
            read = provenance.recorded_inputs(record).items()
            of = {sha256 for name, sha256 in read if Path(name).name == "metrics.json"}
            if path.name in provenance.recorded_outputs(record) and not of & trained:
                raise DataError(
                    f"{path} is of another training than the metrics.json that was given: "
                    f"{record.name} beside it names another SHA-256: run the step deployment again"
                )


def check_weights(model: Path, deployment: Path) -> None:
    """Refuse weights that are not those whose accuracy in int8 was measured.

    Args:
        model: model.safetensors of a training.
        deployment: deployment.json of the same; where it has no record, the weights are taken.

    Raises:
        DataError: the record of the deployment names others.

    """
    for record in sorted(deployment.parent.glob("provenance*.json")):
        of = provenance.recorded_inputs(record)
        known = {sha256 for name, sha256 in of.items() if Path(name).name == model.name}
        if known and model.is_file() and artifacts.file_hash(model) not in known:
            raise DataError(
                f"{model} is not the one that {deployment} was made of: run the step deployment "
                "again, or fetch the weights again"
            )
