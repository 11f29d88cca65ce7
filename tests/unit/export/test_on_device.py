"""Tools for a processor that fail, played by scripts: no export stops, but for a wrong class."""

from pathlib import Path

import numpy as np
import pytest
import torch

from spikernel.errors import ExportError
from spikernel.export import device
from spikernel.export.on_device import measured

LOGITS = np.array([[0.5, 1.5], [2.0, -1.0]], dtype=np.float32)
TOOLS = {
    "gcc": 'case "$1" in --version) echo "gcc 12";; -dumpmachine) echo toy;; esac',
    # 100 + 20 bytes of flash; 20 + 30 of RAM.
    "size": "printf 'text data bss\\n100 20 30\\n'",
    "qemu": 'case "$1" in --version) echo "QEMU 7";;'
    " *) cp ../logits.f32 .; printf 'instructions_per_image 40\\nstack_bytes 8\\n';; esac",
}
SIZES = {"flash_bytes": 120, "static_ram_bytes": 50}


def target_of(folder: Path, **changed: str | None) -> device.Target:
    """Return a processor whose tools are scripts; a changed one may be missing."""
    for name, script in {**TOOLS, **changed}.items():
        if script is not None:
            path = folder / f"toy-{name}"
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
    (folder / "c" / "device").mkdir(parents=True)
    (folder / "c" / "logits.f32").write_bytes(LOGITS.tobytes())
    gcc, qemu = str(folder / "toy-gcc"), str(folder / "toy-qemu")
    return device.Target("toy", (gcc,), "toy.ld", (qemu, "-machine", "board"), "toy")


def test_tools_that_work(tmp_path: Path) -> None:
    found = measured(tmp_path / "c", target_of(tmp_path), torch.from_numpy(LOGITS))
    assert found == {
        "compiler": "gcc 12, for toy",
        "options": " ".join(device.FLAGS),
        **SIZES,
        "emulator": "QEMU 7, board",
        "stack_bytes": 8,
        "ram_bytes": 58,
        "instructions_per_image": 40,
        "images": 2,
        "same_class": 2,
        "equal_to_the_bit": True,
    }


@pytest.mark.parametrize(
    ("tool", "script", "message"),
    [
        ("gcc", "echo error: no licence >&2; exit 1", "toy-gcc failed with status 1: error: no"),
        ("size", None, "toy-size cannot be run: No such file or directory"),
        ("size", "echo nothing", "toy-size printed no sizes of toy.elf"),
        ("qemu", "echo no library >&2; exit 127", "toy-qemu failed with status 127: no library"),
        ("qemu", "echo hello to you", "toy-qemu printed no numbers: 'hello to you"),
        ("qemu", "echo images 2", "toy-qemu ended without an error, and no results"),
        ("qemu", '[ "$1" = --version ] && echo 7 || exec sleep 60', "did not end within 0.2 s"),
    ],
)
def test_a_tool_that_fails_refuses_the_processor_alone(
    tool: str, script: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "MOST_SECONDS", 0.2 if "did not end" in message else 60)
    target = target_of(tmp_path, **{tool: script})
    found = measured(tmp_path / "c", target, torch.from_numpy(LOGITS))
    assert message in found["refused"]
    assert "emulator" not in found
    measured_sizes = {key: found[key] for key in SIZES if key in found}
    assert measured_sizes == (SIZES if tool == "qemu" else {})


def test_another_class_stops_the_export(tmp_path: Path) -> None:
    said = 'case "$1" in --version) echo 7;; *) echo "error: another class than expected on'
    target = target_of(tmp_path, qemu=f'{said} images: 1"; exit 1;; esac')
    with pytest.raises(ExportError, match=r"another class than expected on images: 1$"):
        measured(tmp_path / "c", target, torch.from_numpy(LOGITS))
