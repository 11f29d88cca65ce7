import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread_per_worker() -> None:
    # Two test workers on two cores; and sums are added in one order, so runs repeat exactly.
    import torch

    torch.set_num_threads(1)
