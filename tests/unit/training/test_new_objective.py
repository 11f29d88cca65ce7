"""An objective is one new file and its name in a configuration."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
OBJECTIVE = '''
"""Mean square of the distance to the one-hot label."""

from torch.nn import functional as F


READS_STEPS = True


class Objective:
    def __init__(self, settings, manifest, device):
        self.classes = len(manifest.classes)

    def __call__(self, logits, batch):
        return batch.weigh(
            lambda labels: F.mse_loss(logits.mean(0), F.one_hot(labels, self.classes).float())
        )
'''
PROGRAM = """
import json, sys
from pathlib import Path
import spikernel
from toy import fresh_net, load
from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.training.loop import train

manifest = Path(sys.argv[1])
settings = TrainingConfig.parse(
    {"objective": "squares", "epochs": 2, "learning_rate": 0.01}, "toy"
)
by_rates = [{"epochs": 1, "gradient": "rate"}]
try:
    TrainingConfig.parse({"objective": "squares", "phases": by_rates}, "toy")
except ConfigError as error:
    assert "objective squares looks at every time step" in str(error)
else:
    raise AssertionError
history = train(fresh_net(manifest), load(manifest), settings, 0).history
print(json.dumps([spikernel.__file__, settings.parts(), [line.train_loss for line in history]]))
"""


def test_a_file_adds_an_objective(tmp_path: Path, digits_manifest: Path) -> None:
    library = tmp_path / "scripts"
    shutil.copytree(ROOT / "scripts", library, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "spikernel/training/objectives/squares.py").write_text(OBJECTIVE)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(digits_manifest)],
        capture_output=True, text=True, timeout=240,
        env={"PYTHONPATH": f"{library}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file, parts, losses = json.loads(done.stdout)
    assert Path(file).is_relative_to(library)
    assert parts == ["spikernel.training.objectives.squares"]
    # Ten classes: outputs near 0 are 0.1 from the labels on average, and training gets nearer.
    assert losses[1] < losses[0] < 1
