"""Fixtures of the report's tests."""

from pathlib import Path

import pytest
from report_experiment import Experiment, make


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """One data set, whose files a test may change."""
    return make(tmp_path, ["cifar10"])


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and figures of two data sets; not to be changed."""
    made = make(tmp_path_factory.mktemp("reported"))
    return made.report(memory_budgets_mb=[1.0, 4.0, 10.0, 40.0, 45.0])
