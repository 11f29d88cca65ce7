"""What an export accepts and refuses, and what it leaves on the disk."""

import resource
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets import CLASSES, FACTORS, FORWARD, MEAN, MODERN, SD, active_net, images

from spikernel.errors import ExportError
from spikernel.export import bundle, compiler, device
from spikernel.export.lowering import lower
from spikernel.export.program_accuracy import most_turned
from spikernel.export.quantise import quantise

NEEDS_COMPILER = pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
IMAGES = 100


@pytest.fixture(autouse=True)
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no cross-compiler be there, which some machines have."""
    absent = [replace(target, compiler=("absent-gcc",)) for target in device.TARGETS]
    monkeypatch.setattr(device, "TARGETS", absent)


@pytest.fixture
def one_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the C model give another class on the first image, as rounding may."""
    honest: Callable[..., compiler.Answers] = compiler.classify

    def turned(*arguments: Path) -> compiler.Answers:
        answers = honest(*arguments)
        logits = answers.logits.copy()
        logits[0] = np.roll(logits[0], 1)
        return replace(answers, logits=logits, classes=logits.argmax(1))

    monkeypatch.setattr(compiler, "classify", turned)


def c_of(folder: Path, archid: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Export an int8 net as C; return what `export.json` holds of it."""
    program = quantise(lower(active_net(archid, **settings), MEAN, SD, CLASSES))
    labels = torch.zeros(IMAGES, dtype=torch.int64)
    bundle.write_images(folder, images(IMAGES), labels, CLASSES)
    return bundle.write_c(folder / "c_int8", program, "test", images(IMAGES), labels)


@NEEDS_COMPILER
@pytest.mark.usefixtures("one_turned")
def test_int8_nets_that_add_floats_in_another_order_may_differ_on_one_image_in_a_hundred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExportError, match=r"another class than the Python model on 1 of 100"):
        c_of(tmp_path / "ordered", FACTORS, MODERN)
    monkeypatch.setattr(bundle, "ORDERED_OPERATIONS", 0)
    with pytest.raises(ExportError, match=r"another class than the Python model on 1 of 100"):
        c_of(tmp_path / "whole", FORWARD, {})
    assert c_of(tmp_path / "unordered", FACTORS, MODERN)["same_class"] == IMAGES - 1


@NEEDS_COMPILER
def test_no_folder_to_compile_in_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    refused = r"compile in: .*missing/\S+: No such file or directory: free some, .* TMPDIR$"
    with pytest.raises(ExportError, match=refused):
        c_of(tmp_path, FORWARD, {})


def test_a_folder_where_nothing_may_run_is_one_line(tmp_path: Path) -> None:
    program = tmp_path / "classify"
    program.write_text("")  # without leave to run it, as on a file system mounted noexec
    with pytest.raises(ExportError, match=r"classify may not be run there: .* noexec, .* TMPDIR$"):
        compiler.run([str(program)])


def test_no_space_to_compile_in_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let no file grow beyond 4 kB: the system refuses as it does on a full disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with (
            pytest.raises(ExportError, match=r"compile in: File too large: free some, .* TMPDIR$"),
            compiler.workspace() as folder,
        ):
            compiler.write_sources(folder, {"model.c": " " * 10_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@NEEDS_COMPILER
def test_an_accepted_export_expects_its_own_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the Python model gives another class on the first image, as rounding may."""
    honest = bundle.logits

    def turned(*arguments: Any, **settings: Any) -> torch.Tensor:
        found = honest(*arguments, **settings)
        return torch.cat([found[:1].roll(1, dims=1), found[1:]])

    monkeypatch.setattr(bundle, "logits", turned)
    monkeypatch.setattr(bundle, "ORDERED_OPERATIONS", 0)
    assert c_of(tmp_path, FACTORS, MODERN)["same_class"] == IMAGES - 1
    done = subprocess.run(
        ["make", "-s", "-C", str(tmp_path / "c_int8"), "run"], capture_output=True, text=True
    )
    assert "same class as expected 100 of 100" in done.stdout
    assert done.returncode == 0


def test_of_few_images_rounding_may_turn_one_of_ten() -> None:
    found = [most_turned(images, 0.99) for images in (5, 10, 29, 60, 300, 1000)]
    assert found == [0, 1, 2, 3, 3, 10]
