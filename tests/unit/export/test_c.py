"""The C code against the Python model: the same bits, on every kind of step."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets import (
    CLASSES,
    FACTORS,
    FEEDBACK,
    FORWARD,
    MEAN,
    MODERN,
    SD,
    SKIPS,
    THRESHOLDS,
    active_net,
    images,
    lif_rule,
    normalised,
    run_c,
)
from torch import nn

from spikernel.errors import ExportError
from spikernel.export import compiler, device
from spikernel.export.builder import Builder
from spikernel.export.c_source import c_files, renamed
from spikernel.export.c_text import array_text, c_float
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import plan
from spikernel.export.program import Program
from spikernel.export.quantise import quantise
from spikernel.export.steps import Value
from spikernel.network.activity import measure_activity

pytestmark = pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")

CELLS = [FORWARD, FEEDBACK, SKIPS, THRESHOLDS, "k1r-k3r-k1-avg-k1r-skip"]


@pytest.mark.parametrize(
    ("archid", "settings"),
    [
        *((archid, {"head": "gap" if archid == SKIPS else "fc"}) for archid in CELLS),
        *((archid, MODERN) for archid in (FACTORS, FEEDBACK)),
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_same_bits_as_the_python_model(
    archid: str, settings: dict[str, Any], precision: str, tmp_path: Path
) -> None:
    program = lower(active_net(archid, **settings), MEAN, SD, CLASSES)
    if precision == "int8":
        program = quantise(program)
    expected = Interpreter(program, ordered=True).logits(images()).numpy()
    assert expected.std(0).min() > 0
    assert np.array_equal(run_c(program, images(), tmp_path).logits, expected)


def unusual_program() -> Program:
    """Grouped, depthwise, oblong and strided convolutions, real inputs, sums past one byte."""
    generator = torch.Generator().manual_seed(3)

    def conv(*arguments: int, **settings: object) -> nn.Conv2d:
        made = nn.Conv2d(*arguments, **settings)  # type: ignore[arg-type]
        for parameter in made.parameters():
            parameter.data.uniform_(-0.4, 0.6, generator=generator)
        return made

    builder = Builder(Value("image", (3, 20, 17), "pixels"), MEAN, SD)
    x = builder.convolve("stem", builder.image, conv(3, 12, (5, 3), stride=(1, 2), padding=(2, 1)))
    x = builder.fire("first", x, lif_rule(1.5, 0.6))
    x = builder.convolve("depthwise", x, conv(12, 12, 3, padding=1, groups=12))
    x = builder.convolve("pointwise", x, conv(12, 9, 1, bias=False))  # of real values
    x = builder.fire("second", x, lif_rule(2.0, 0.8))
    x = builder.convolve("grouped", x, conv(9, 12, (1, 5), padding=(0, 2), groups=3))
    x = builder.convolve("oblong", x, conv(12, 12, (7, 1), padding=(3, 0), groups=4))
    x = builder.average("shrunk", x, (2, 1), (1, 1), (1, 0))
    x = builder.fire("third", x, lif_rule(4 / 3, 0.5))
    x = builder.average("whole", x, x.shape[1:], x.shape[1:])
    weight = torch.rand(4, 12, generator=generator).double().numpy() - 0.5
    x = builder.linear("outputs", x, weight, np.arange(4) / 10)
    return builder.program(x, 4, CLASSES)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_every_kind_of_step(precision: str, tmp_path: Path) -> None:
    program = unusual_program()
    if precision == "int8":
        program = quantise(program)
        assert {value.kind for value in plan(program).places} == {"real", "spikes", "counts"}
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (6, 3, 20, 17), dtype=torch.uint8, generator=generator)
    expected = Interpreter(program, ordered=True).logits(pixels).numpy()
    assert expected.std(0).min() > 0
    assert np.array_equal(run_c(program, pixels, tmp_path).logits, expected)
    plain = Interpreter(program).logits(pixels).numpy()
    np.testing.assert_allclose(plain, expected, rtol=1e-4, atol=1e-4)


def test_operations_counted_in_c_are_those_we_report(tmp_path: Path) -> None:
    """With one vote per class nothing is folded that would be counted."""
    net = active_net(FORWARD, votes=1)
    activity = measure_activity(net, [normalised(images())])
    counted = run_c(lower(net, MEAN, SD, CLASSES), images(), tmp_path).synops_per_image
    assert counted == pytest.approx(activity.effective_acs + activity.effective_macs, abs=1e-3)


@pytest.mark.skipif(shutil.which("size") is None, reason="needs binutils")
@pytest.mark.parametrize(("archid", "settings"), [(FORWARD, {}), (FEEDBACK, {}), (FACTORS, MODERN)])
def test_static_memory_is_what_the_linker_sees(
    archid: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    program = quantise(lower(active_net(archid, **settings), MEAN, SD, CLASSES))
    compiler.write_sources(tmp_path, c_files(program, "test"))
    found = compiler.find_compiler()
    assert found
    sizes = compiler.sizes(tmp_path, found)
    assert sizes is not None
    # Compilers align arrays to up to 32 bytes.
    arrays = len(program.steps) + 4
    assert 0 <= sizes.ram_bytes - plan(program).ram_bytes < 32 * arrays
    assert sizes.flash_bytes > program.parameter_bytes


def test_strictest_warnings_and_no_library(tmp_path: Path) -> None:
    program = quantise(unusual_program())
    compiler.write_sources(tmp_path, c_files(program, "a title */ with \\ signs"))
    found = compiler.find_compiler()
    assert found
    strict = ("-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-ffreestanding")
    command = [*found, *compiler.FLAGS, *strict, "-c", "model.c", "-o", "model.o"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    undefined = subprocess.run(
        ["nm", "-u", "model.o"], cwd=tmp_path, capture_output=True, text=True
    ).stdout.split()
    # A freestanding compiler may still call these four; any runtime for a device has them.
    assert set(undefined) - {"U"} <= {"memcpy", "memset", "memmove", "memcmp"}


def two_models(folder: Path, prefixes: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """Link two models, whose headers one file includes, into a program that prints their sizes."""
    lines = ["#include <stdio.h>"]
    for prefix, place, archid in zip(prefixes, ("a", "b"), (FORWARD, FEEDBACK), strict=True):
        lowered = lower(active_net(archid), MEAN, SD, CLASSES)
        program = replace(lowered, weights_sha256=64 * place)
        compiler.write_sources(folder / place, renamed(c_files(program, f"net {place}"), prefix))
        lines.append(f'#include "{place}/model.h"')
    first, second = prefixes
    names = [f"{prefix.upper()}_{name}" for prefix in prefixes for name in ("MODEL", "CLASSES")]
    lines += [
        "int main(void) {", "  static unsigned char image[300]; float logits[4];",
        f'  printf("%s %d %s %d\\n", {", ".join(names)});',
        f"  return {first}_classify(image, logits) < 0 || {second}_classify(image, logits) < 0;",
        "}",
    ]  # fmt: skip
    (folder / "both.c").write_text("\n".join(lines))
    found = compiler.find_compiler()
    assert found
    sources = ["both.c", "a/model.c", "b/model.c"]
    command = [*found, *compiler.FLAGS, "-o", "both", *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        return done
    return subprocess.run([folder / "both"], capture_output=True, text=True)


def test_two_models_in_one_program(tmp_path: Path) -> None:
    done = two_models(tmp_path / "apart", ("spk", "eye"))
    assert (done.returncode, done.stdout) == (0, "net a 4 net b 4\n")
    done = two_models(tmp_path / "alike", ("spk", "spk"))
    assert "two models of one prefix: export one with another export/c_prefix" in done.stderr


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_a_program_in_cpp_links_the_model(tmp_path: Path) -> None:
    compiler.write_sources(tmp_path, c_files(lower(active_net(FORWARD), MEAN, SD, CLASSES), "net"))
    (tmp_path / "main.cpp").write_text(
        '#include "model.h"\nint main() { static uint8_t image[300]; float logits[SPK_CLASSES];\n'
        "return spk_classify(image, logits) < 0; }\n"
    )
    found = compiler.find_compiler()
    assert found
    subprocess.run([*found, "-std=c99", "-c", "model.c"], cwd=tmp_path, check=True)
    subprocess.run(["c++", "-o", "main", "main.cpp", "model.o"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_flags_of_the_user_do_not_change_the_numbers(tmp_path: Path) -> None:
    compiler.write_sources(tmp_path, c_files(lower(active_net(FORWARD), MEAN, SD, CLASSES), "net"))
    make = ["make", "--dry-run", "model.o", "CFLAGS=-O1"]
    said = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "-O1 -std=c99 -ffp-contract=off -c" in said


def test_an_unknown_processor_is_named(tmp_path: Path) -> None:
    compiler.write_sources(tmp_path, device.files())
    make = ["make", "-C", tmp_path / "device", "run", "TARGET=cortex-m0"]
    done = subprocess.run(make, capture_output=True, text=True)
    assert done.returncode != 0
    assert "TARGET cortex-m0 is not known: one of cortex-m3, cortex-m4f, rv32imac" in done.stderr


def test_makefile_classifies_and_reports_disagreement(tmp_path: Path) -> None:
    program = quantise(lower(active_net(FORWARD), MEAN, SD, CLASSES))
    folder = tmp_path / "c_int8"
    expected = run_c(program, images(), folder).classes
    (tmp_path / "images.u8").write_bytes((folder / "images.u8").read_bytes())
    (tmp_path / "labels.u16").write_bytes(np.zeros(12, dtype=np.uint16).tobytes())
    (folder / "expected.u16").write_bytes(expected.astype("<u2").tobytes())
    make = ["make", "-s", "-C", str(folder), "run"]
    done = subprocess.run(make, capture_output=True, text=True)
    accuracy = 100 * (expected == 0).mean()
    assert done.returncode == 0, done.stderr
    assert f"12 images: accuracy {accuracy:.2f} %, same class as expected 12 of 12" in (done.stdout)
    two_more = [*expected.tolist(), 0, 0]
    (folder / "expected.u16").write_bytes(np.array(two_more, "<u2").tobytes())
    done = subprocess.run(make, capture_output=True, text=True)
    assert "error: there are fewer images than classes" in done.stderr
    (folder / "expected.u16").write_bytes(expected.astype("<u2").tobytes())
    whole = (tmp_path / "images.u8").read_bytes()
    (tmp_path / "images.u8").write_bytes(whole[:-1])
    done = subprocess.run(make, capture_output=True, text=True)
    assert done.returncode != 0
    assert "images.u8 ends within an image" in done.stderr
    (tmp_path / "images.u8").write_bytes(whole)
    wrong = (expected + 1) % 4
    (folder / "expected.u16").write_bytes(wrong.astype("<u2").tobytes())
    done = subprocess.run(make, capture_output=True, text=True)
    assert done.returncode != 0
    assert "same class as expected 0 of 12" in done.stdout


def test_compiler_that_refuses_is_one_line(tmp_path: Path) -> None:
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    files = c_files(program, "test")
    assert set(files) == {"model.h", "model.c", "kernels.h", "main.c", "Makefile"}
    compiler.write_sources(tmp_path, {**files, "model.c": "int broken"})
    found = compiler.find_compiler()
    assert found
    with pytest.raises(ExportError, match=r"failed with status 1: .*error") as caught:
        compiler.build(tmp_path, found)
    assert "\n" not in str(caught.value)


def test_numbers_survive_as_text() -> None:
    numbers = np.array([0.0, -0.0, 1.0, 1 / 3, 1e-38, -3.4e38, 16777216.0], dtype=np.float32)
    words = array_text(numbers).replace("\n", " ").split(",")
    back = np.array([float(word.strip().removesuffix("f")) for word in words], dtype=np.float32)
    assert back.tobytes() == numbers.tobytes()
    assert c_float(3) == "3.0f"
    lines = array_text(np.arange(100, dtype=np.int16)).splitlines()
    assert max(map(len, lines)) <= 100
    assert "".join(lines).replace(" ", "").split(",") == [str(number) for number in range(100)]
