"""The C code on emulated processors: the same bits, and what the emulator counts."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nets import CLASSES, FEEDBACK, FORWARD, MEAN, MODERN, SD, THRESHOLDS, active_net, images

from spikernel.errors import ExportError
from spikernel.export import compiler, device
from spikernel.export.c_source import c_files
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import plan
from spikernel.export.program import Program
from spikernel.export.quantise import quantise

EVERY_TARGET = [
    pytest.param(
        target,
        id=target.name,
        marks=pytest.mark.skipif(not target.runs, reason=f"apt-get install {target.packages}"),
    )
    for target in device.TARGETS
]
ON_EVERY_TARGET = pytest.mark.parametrize("target", EVERY_TARGET)


def written(program: Program, folder: Path) -> tuple[Path, np.ndarray[Any, Any]]:
    """Write a model's files and images; return their folder and the logits of the Python model."""
    place = folder / "c"
    compiler.write_sources(place, {**c_files(program, "test"), **device.files()})
    pixels = images()
    (folder / "images.u8").write_bytes(pixels.permute(0, 2, 3, 1).contiguous().numpy().tobytes())
    expected = Interpreter(program, ordered=True).logits(pixels).numpy()
    (place / "expected.u16").write_bytes(expected.argmax(1).astype(np.uint16).tobytes())
    return place, expected


def int8_program(archid: str = FORWARD, **settings: Any) -> Program:
    return quantise(lower(active_net(archid, **settings), MEAN, SD, CLASSES))


@ON_EVERY_TARGET
@pytest.mark.parametrize(
    ("archid", "settings"),
    [
        pytest.param(FORWARD, {}, id="forward"),
        pytest.param(FEEDBACK, MODERN, id="feedback"),
        pytest.param(THRESHOLDS, {"neuron": "if_soft", "head": "gap"}, id="soft"),
        pytest.param(
            FORWARD, {"neuron": "integer", "time_steps": 1, "levels": 3}, id="integer"
        ),
    ],
)  # fmt: skip
def test_same_bits_as_the_python_model(
    target: device.Target, archid: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    place, expected = written(int8_program(archid, **settings), tmp_path)
    assert expected.std(0).min() > 0
    ran = device.run(device.build(place, target, len(expected)), target, len(CLASSES))
    assert np.array_equal(ran.logits, expected)
    assert 100 < ran.stack_bytes < 1000


@ON_EVERY_TARGET
def test_float_weights_too(target: device.Target, tmp_path: Path) -> None:
    place, expected = written(lower(active_net(FORWARD), MEAN, SD, CLASSES), tmp_path)
    ran = device.run(device.build(place, target, 5), target, len(CLASSES))
    assert np.array_equal(ran.logits, expected[:5])


@ON_EVERY_TARGET
def test_memory_is_that_of_the_plan_and_little_more(target: device.Target, tmp_path: Path) -> None:
    program = int8_program()
    place, _ = written(program, tmp_path)
    sizes = compiler.read_sizes(device.build(place, target), [target.size])
    # The caller's image and logits, and arrays that begin at a multiple of 8 bytes.
    caller = program.image.size + 4 * len(CLASSES)
    arrays = len(program.steps) + 6
    assert 0 <= sizes.ram_bytes - plan(program).ram_bytes - caller < 8 * arrays
    assert 0 < sizes.flash_bytes - program.parameter_bytes < 20_000


def measured(target: device.Target, folder: Path, body: str) -> int:
    """Run a main program whose `body` sets `found`; return what it was."""
    place, _ = written(int8_program(), folder)
    lines = [
        '#include "device.h"',
        "int main(void)",
        "{",
        "    uint32_t found = 0;",
        f"    {body}",
        '    device_write(device_open("found", DEVICE_WRITE), &found, sizeof found);',
        "    return 0;",
        "}",
    ]
    (place / "device" / "other.c").write_text("\n".join(lines) + "\n")
    device.emulate(device.build(place, target, main="other.c"), target)
    return int(np.fromfile(place / "device" / "found", dtype=np.uint32)[0])


@ON_EVERY_TARGET
def test_clock_counts_instructions(target: device.Target, tmp_path: Path) -> None:
    """A million rounds of a loop of two instructions."""
    loops = {
        "cortex_m.ld": "1: subs %0, %0, #1\\nbne 1b",
        "riscv.ld": "1: addi %0, %0, -1\\nbnez %0, 1b",
    }
    loop = f'__asm__ volatile("{loops[target.script]}" : "+r"(rounds) : : "cc");'
    before = "uint32_t rounds = 1000000, before = device_ticks();"
    after = "found = (device_ticks() - before) * DEVICE_TICK;"
    found = measured(target, tmp_path, f"{before} {loop} {after}")
    assert found == pytest.approx(2_000_000, abs=200)


@ON_EVERY_TARGET
def test_stack_is_measured(target: device.Target, tmp_path: Path) -> None:
    fill = "volatile char frame[3000]; for (int i = 0; i < 3000; i++) frame[i] = 1; (void)frame[0];"
    found = measured(target, tmp_path, f"{fill} found = (uint32_t)device_stack_bytes();")
    assert 3000 < found < 3200
    assert measured(target, tmp_path, "found = (uint32_t)device_stack_size();") == 4096


@ON_EVERY_TARGET
def test_another_class_is_an_error_and_so_is_a_fault(target: device.Target, tmp_path: Path) -> None:
    place, expected = written(int8_program(), tmp_path)
    wrong = (expected.argmax(1) + 1) % len(CLASSES)
    (place / "expected.u16").write_bytes(wrong.astype(np.uint16).tobytes())
    program = device.build(place, target, 3)
    with pytest.raises(ExportError, match=r"another class than expected on images: 3$"):
        device.run(program, target, len(CLASSES))
    with pytest.raises(ExportError, match=r"error: the processor met a fault$"):
        measured(target, tmp_path, "found = *(volatile uint32_t *)0xF0000000;")


def test_what_does_not_fit_is_said_in_the_linkers_words(tmp_path: Path) -> None:
    target = device.TARGETS[0]
    if not target.compiles:
        pytest.skip(f"apt-get install {target.packages}")
    place, _ = written(int8_program(), tmp_path)
    script = place / "device" / target.script
    script.write_text(script.read_text().replace("LENGTH = 4M", "LENGTH = 4K"))
    with pytest.raises(ExportError, match=r"section `\.text' will not fit in region `FLASH'$"):
        device.build(place, target)


@ON_EVERY_TARGET
def test_makefile_compiles_and_runs(target: device.Target, tmp_path: Path) -> None:
    place, expected = written(int8_program(), tmp_path)
    command = ["make", "-s", "-C", str(place / "device"), "run", f"TARGET={target.name}"]
    done = subprocess.run([*command, "IMAGES=4"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["images 4", "same_class 4"]
    logits = np.fromfile(place / "device" / "logits.f32", dtype=np.float32)
    assert np.array_equal(logits.reshape(-1, len(CLASSES)), expected[:4])
