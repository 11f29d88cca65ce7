"""Lets a torchvision that was built for another torch be imported: a CUDA build beside a CPU torch.

Such a torchvision cannot load its compiled operators, and then fails while it describes them to
torch. Data sets and transforms need no operator, so declaring two of them is enough.

`python envs/torchvision_repair.py` installs this file into the environment of that Python if
torchvision fails to import there, and does nothing otherwise.
"""

import shutil
import sys
import sysconfig
from pathlib import Path

_KEPT = []  # torch forgets what a library object declared when the object goes


class _Declarer:
    """Declares the operators just before torchvision describes them; finds no module itself."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:  # noqa: ARG004
        if name == "torchvision._meta_registrations":
            import torch  # loaded already, by torchvision

            if hasattr(torch.ops.torchvision, "nms"):
                return
            library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in ("nms", "qnms"):
                library.define(f"{operator}(Tensor dets, Tensor scores, float threshold) -> Tensor")
            _KEPT.append(library)


def _install() -> None:
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
        folder = Path(sysconfig.get_path("purelib"))
        shutil.copy(__file__, folder)
        (folder / "torchvision_repair.pth").write_text("import torchvision_repair\n")


if __name__ == "__main__":
    _install()
else:
    sys.meta_path.insert(0, _Declarer)
