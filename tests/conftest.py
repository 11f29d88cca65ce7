from pathlib import Path

import pytest
from toy import prepare_digits


@pytest.fixture(autouse=True, scope="session")
def _one_thread_per_worker() -> None:
    # Two test workers on two cores; and sums are added in one order, so runs repeat exactly.
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_digits(tmp_path_factory.mktemp("digits"))
