from pathlib import Path

from spikernel.study.shared_gpu import gpu_jobs


def test_jobs_take_a_gpu_where_there_is_one_to_share(tmp_path: Path) -> None:
    assert gpu_jobs("auto", tmp_path / "no driver", {}) == 0
    assert gpu_jobs("auto", tmp_path, {}) == 0  # a driver without a card
    (tmp_path / "0000:01:00.0").mkdir()
    assert gpu_jobs("auto", tmp_path, {}) == 1
    assert gpu_jobs("auto", tmp_path, {"CUDA_VISIBLE_DEVICES": ""}) == 0
    assert gpu_jobs("cpu", tmp_path, {}) == 0
    assert gpu_jobs("cuda", tmp_path / "no driver", {}) == 1
