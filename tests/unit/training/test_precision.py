from pathlib import Path

import pytest
import torch

from spikernel.config import RECIPES, TrainingConfig
from spikernel.training import precision

CPU = torch.device("cpu")
LINES = "processor\t: 0\nflags\t\t: fpu {}\nbugs\t\t: amx_bf16\n"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("avx2 avx512_bf16", True), ("amx_bf16 sse2", True), ("avx2", False), (None, False)],
)
def test_automatic_where_the_processor_has_the_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, expected: bool
) -> None:
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(LINES.format(flags))
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    precision.has_bfloat16.cache_clear()
    answers = [
        precision.in_bfloat16(TrainingConfig.parse({"cpu_bfloat16": given}, "t"), CPU)
        for given in ("auto", True, False)
    ]
    precision.has_bfloat16.cache_clear()
    assert answers == [expected, True, False]


def test_recipes_of_recorded_results_stay_in_float32() -> None:
    assert TrainingConfig().cpu_bfloat16 is False
    assert "cpu_bfloat16" not in RECIPES["modern"]
