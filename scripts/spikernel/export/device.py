"""Cross-compiles exported C files for bare processors, runs them in QEMU, and measures both."""

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.errors import ExportError
from spikernel.export import compiler
from spikernel.export.templates import render

FILES = ("c/device/device.h", "c/device/device.c", "c/device/main.c", "c/device/cortex_m.ld",
         "c/device/riscv.ld", "c/device/sections.ld")  # fmt: skip
"""What is the same for every model. Named in full, so that `spikernel.code` knows them."""
FLAGS = (
    *("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"),
    *("-ffp-contract=off", "-ffreestanding", "-fno-tree-loop-distribute-patterns"),
    *("-ffunction-sections", "-fdata-sections", "-nostdlib", "-Wl,--gc-sections"),
)
"""Loops that fill memory stay loops: the functions that a library has for them are not there."""
EMULATION = (
    *("-nographic", "-monitor", "none", "-serial", "none"),
    *("-semihosting-config", "enable=on,target=native", "-icount", "shift=0,sleep=off"),
)
"""Every instruction takes 1 ns of the time that the clocks of the board show. No time of the host
counts, so that two runs give the same numbers."""

MOST_SECONDS = 1800.0
"""An emulator that runs for longer is taken for one that hangs; a model takes a second or two, and
one that needs many operations per image some minutes."""
_WRONG_CLASS = "another class than expected"
"""What c/device/main.c prints."""


class WrongClassError(ExportError):
    """A model on a processor gives another class than the C code on this machine."""


@dataclass(frozen=True)
class Target:
    """A processor, and the tools that compile for it and stand in for it."""

    name: str
    """As compilers call it; `f` for a floating-point unit."""
    compiler: tuple[str, ...]
    script: str
    """Linker script of the board that is emulated."""
    emulator: tuple[str, ...]
    packages: str
    """Of Debian, which have the tools."""

    @property
    def compile(self) -> str:
        """The compiler as one line."""
        return shlex.join(self.compiler)

    @property
    def size(self) -> str:
        """The program that reads sizes."""
        return f"{self.compiler[0].removesuffix('gcc')}size"

    @property
    def run(self) -> str:
        """The emulator as one line."""
        return shlex.join((*self.emulator, *EMULATION))

    @property
    def compiles(self) -> bool:
        """Whether its compiler is on this machine."""
        return shutil.which(self.compiler[0]) is not None

    @property
    def runs(self) -> bool:
        """Whether its emulator is on this machine, too."""
        return self.compiles and shutil.which(self.emulator[0]) is not None


ARM, RISCV = "gcc-arm-none-eabi qemu-system-arm", "gcc-riscv64-unknown-elf qemu-system-misc"
TARGETS = (
    Target(
        name="cortex-m3",
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"),
        script="cortex_m.ld",
        emulator=("qemu-system-arm", "-machine", "mps2-an385"),
        packages=ARM,
    ),
    Target(
        name="cortex-m4f",
        compiler=("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16",
                  "-mfloat-abi=hard"),
        script="cortex_m.ld",
        emulator=("qemu-system-arm", "-machine", "mps2-an386"),
        packages=ARM,
    ),
    Target(
        name="rv32imac",
        compiler=("riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32"),
        script="riscv.ld",
        emulator=("qemu-system-riscv32", "-machine", "virt", "-bios", "none"),
        packages=RISCV,
    ),
)  # fmt: skip


def files() -> dict[str, str]:
    """Return the text of every file that a model needs beside its own on a bare processor."""
    here = Path(__file__).parent
    texts = {name: (here / name).read_text(encoding="utf-8") for name in FILES}
    makefile = render("c/device/Makefile.j2", targets=TARGETS, flags=shlex.join(FLAGS))
    return {
        **{name.removeprefix("c/"): text for name, text in texts.items()},
        "device/Makefile": makefile,
    }


def describe(target: Target) -> str:
    """Return the emulator's version and the board it stands in for, on one line."""
    version = compiler.run([target.emulator[0], "--version"]).splitlines()[0]
    return f"{version}, {target.emulator[target.emulator.index('-machine') + 1]}"


@dataclass(frozen=True)
class Run:
    """What a model did on an emulated processor."""

    logits: NDArray[np.float32]
    """[N, classes], not a bit lost."""
    instructions_per_image: int
    """Mean over the images of the instructions that `spk_classify` executed, to one tick of the
    board's clock; no cycles, which QEMU does not know."""
    stack_bytes: int
    """Most that the stack ever held, that of the surrounding program included."""


def build(folder: Path, target: Target, images: int = 1, main: str = "main.c") -> Path:
    """Compile and link a model for a processor; return the program's path.

    Args:
        folder: of the model's files, those of `files` among them.
        target: the processor.
        images: how many the program classifies at most.
        main: name of the file with the main program.

    Raises:
        ExportError: the compiler refuses, or the program does not fit the board's memory.

    """
    place = folder / "device"
    sources = [main, "device.c", "../model.c", "-lgcc"]
    options = [*FLAGS, "-T", target.script, f"-DSPK_IMAGES={images}"]
    made = f"{target.name}.elf"
    compiler.run([*target.compiler, *options, "-o", made, *sources], folder=place)
    return place / made


def emulate(program: Path, target: Target) -> dict[str, int]:
    """Run a program on an emulated processor; return the numbers that it prints, by name.

    Raises:
        ExportError: it failed, did not end, or printed something else.

    """
    command = [*target.emulator, *EMULATION, "-kernel", program.name]
    said = compiler.run(command, folder=program.parent, timeout_s=MOST_SECONDS)
    try:
        return {name: int(number) for name, number in map(str.split, said.splitlines())}
    except ValueError:
        raise ExportError(f"{target.emulator[0]} printed no numbers: {said[:80]!a}") from None


def run(program: Path, target: Target, classes: int) -> Run:
    """Run a model on the images beside it.

    The program compares its classes with those expected, and fails where one differs.

    Args:
        program: that `build` made.
        target: the processor.
        classes: of the model.

    Raises:
        WrongClassError: a class differs.
        ExportError: the emulator or the program failed.

    """
    try:
        numbers = emulate(program, target)
    except ExportError as error:
        raise (WrongClassError(error) if _WRONG_CLASS in str(error) else error) from None
    try:
        logits = np.fromfile(program.with_name("logits.f32"), dtype=np.float32)
        return Run(
            logits=logits.reshape(-1, classes),
            instructions_per_image=numbers["instructions_per_image"],
            stack_bytes=numbers["stack_bytes"],
        )
    except (KeyError, OSError, ValueError):
        raise ExportError(f"{target.emulator[0]} ended without an error, and no results") from None
