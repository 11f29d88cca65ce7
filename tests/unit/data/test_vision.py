import sys
from types import ModuleType

import pytest
import torch

from spikernel.data import vision


def test_torchvision_is_whole():
    module = vision.torchvision()
    assert module is sys.modules["torchvision"]
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    assert module.transforms.v2.functional.resize(image, [4]).shape == (3, 4, 4)
    assert issubclass(module.datasets.CIFAR100, module.datasets.CIFAR10)
    assert vision.torchvision() is module


@pytest.fixture
def imports(monkeypatch):
    """Fresh cache, and a list of errors that importing torchvision meets, in turn."""
    # The operators are declared already, and torch refuses to hear it twice.
    declared, errors = [], []
    monkeypatch.setattr(vision, "_declare_operators", lambda: declared.append(True))
    whole = ModuleType("torchvision")

    def attempt():
        monkeypatch.setitem(sys.modules, "torchvision.half", ModuleType("torchvision.half"))
        if errors:
            raise errors.pop(0)
        return whole

    monkeypatch.setattr(vision, "_import", attempt)
    monkeypatch.setattr(vision.sys, "modules", dict(sys.modules))
    vision.torchvision.cache_clear()
    yield errors, declared, whole
    vision.torchvision.cache_clear()


def test_matching_build_is_left_alone(imports):
    _, declared, whole = imports
    assert vision.torchvision() is whole
    assert not declared


def test_mismatched_build_is_imported_again(imports):
    errors, declared, whole = imports
    errors.append(RuntimeError("operator torchvision::nms does not exist"))
    assert vision.torchvision() is whole
    assert declared == [True]


@pytest.mark.parametrize("error", [RuntimeError("out of luck"), ImportError("no torchvision")])
def test_other_failures_are_not_hidden(imports, error):
    errors, declared, _ = imports
    errors.append(error)
    with pytest.raises(type(error), match=str(error)):
        vision.torchvision()
    assert not declared
