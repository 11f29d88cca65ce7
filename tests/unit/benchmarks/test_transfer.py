"""A regression is judged by cells, and on a data set, that it was not fitted to."""

import json
from pathlib import Path

import pytest
import transfer

from spikernel import artifacts, tables
from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError

NETWORK = NetworkConfig(macro="compact", channels=4)


def table(path: Path, kind: str, accuracies: dict[str, float]) -> Path:
    lines = [
        {
            "group": "random", "control": "same_parameters", "archid": name, "seed": 0,
            "channels": 4, "params": 30, "test_accuracy_percent": accuracy,
        }
        for name, accuracy in accuracies.items()
    ]  # fmt: skip
    tables.write_csv(path, lines)
    described = {"dataset": {"kind": kind}, "network": NETWORK.model_dump(mode="json")}
    artifacts.write_json(path.with_suffix(".json"), described)
    return path


def test_cells_are_ordered_by_a_fit_to_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The more 7x7 convolutions, the worse; the cell that both tables have says the opposite.
    known = {
        "k3-zero-skip-zero-k3-zero": 80.0,
        "k3-zero-skip-zero-k7-zero": 70.0,
        "k7-zero-skip-zero-k7-zero": 60.0,
        "k7-k7-skip-k7-k7-k7": 99.0,
    }
    asked = {"k7-k7-skip-k7-k7-k7": 30.0, "k3-k7-skip-k7-k3-k7": 35.0, "k3-k3-skip-k3-k3-k3": 40.0}
    fitted = table(tmp_path / "a.csv", "cifar10", known)
    judged = table(tmp_path / "b.csv", "cifar100", asked)
    transfer.main(fitted, judged)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["fitted_to"], found["cells"]) == (3, 3)
    assert (found["tau"], found["regret"], found["beaten_by"]) == (1.0, 0.0, 0.0)
    # No path leads through the first, and one threshold of the second is not 1.0.
    asked = {"k3-zero-zero-zero-zero-zero": 10.0, "k7-zero-skip-zero-k7t1.5-zero": 30.0,
             "k3-zero-skip-zero-k5-zero": 40.0}  # fmt: skip
    judged = table(tmp_path / "c.csv", "cifar100", asked)
    for one_threshold, count in ((False, 3), (True, 2)):
        transfer.main(fitted, judged, one_threshold=one_threshold)
        found = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (found["cells"], found["tau"]) == (count, 1.0)
    with pytest.raises(ConfigError, match=r"has 0 dense cells that .* lacks"):
        transfer.main(judged, judged)
