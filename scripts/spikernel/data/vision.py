"""The torchvision module, imported only by those who need it."""

import functools
import importlib
import sys
from types import ModuleType
from typing import Any

_KEPT: list[Any] = []
"""Libraries of operator schemas: torch forgets the schemas when the library object goes."""


@functools.cache
def torchvision() -> ModuleType:
    """Return the imported torchvision module, with `transforms.v2` and `datasets` loaded.

    A torchvision built for another torch cannot load its compiled operators, and then fails
    while it describes them to torch. Nothing here uses these operators, so their schemas are
    declared in its place, and data sets and transforms work.

    Raises:
        RuntimeError: torchvision cannot be imported for another reason.
    """
    try:
        return _import()
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    return _import()


def _import() -> ModuleType:
    module = importlib.import_module("torchvision")
    importlib.import_module("torchvision.transforms.v2")
    return module


def _declare_operators() -> None:
    import torch  # here, because callers that need no images should not wait for it

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)
