import subprocess
import sys
from pathlib import Path

import pytest

ENVS = Path(__file__).parents[2] / "envs"
SCRIPT = ENVS / "torchvision_repair.py"


def test_torchvision_imports_with_the_repair_whatever_torch_it_was_built_for() -> None:
    code = (
        "import torchvision_repair, sys; assert 'torch' not in sys.modules;"
        "import torch, torchvision.transforms.v2.functional as F;"
        "print(*F.resize(torch.zeros(3, 8, 8, dtype=torch.uint8), [4]).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ENVS, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("3 4 4\n", 0), done.stderr


@pytest.mark.parametrize(
    ("torchvision", "status", "repaired"),
    [
        ("", 0, False),
        ("raise RuntimeError('operator torchvision::nms does not exist')", 0, True),
        ("raise RuntimeError('out of luck')", 1, False),
    ],
)
def test_only_a_torchvision_that_lacks_its_operators_is_repaired(
    tmp_path: Path, torchvision: str, status: int, repaired: bool
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    (site,) = tmp_path.glob("lib/python3*/site-packages")
    (site / "torchvision.py").write_text(torchvision)
    done = subprocess.run([tmp_path / "bin" / "python", SCRIPT], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert (site / "torchvision_repair.pth").exists() == repaired
    listing = "import sys; sys.exit('torchvision_repair' not in sys.modules)"
    loaded = subprocess.run([tmp_path / "bin" / "python", "-c", listing])
    assert (loaded.returncode == 0) == repaired
