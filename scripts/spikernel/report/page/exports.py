"""The exported forms of a model, from the record that the export leaves beside them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from spikernel.report.tables.records import Record
from spikernel.report.tables.table import count, kilobytes


class Export(Record):
    """Forms of one trained model for devices (`export.json`); accuracies in percent."""

    dataset: str
    kernel_set: str
    rank: int = Field(ge=1)
    width: float = Field(default=1.0, gt=0)
    seed: int
    test_accuracy_percent: dict[str, float]
    """By form: `trained`, and the exported program with `fp32` and `int8` weights."""
    onnx: dict[str, dict[str, Any]]
    """By number format: file, and on how many images it gives the same class."""
    nir: dict[str, Any]
    """File, or why the model cannot be expressed."""
    c: dict[str, dict[str, Any]]
    """By number format: folder, sizes, and on how many images it gives the same class."""

    def files(self) -> list[str]:
        """Return the paths of the files, relative to the folder of the record."""
        made = [self.nir.get("file"), *(form.get("file") for form in self.onnx.values())]
        return [
            "MODEL_CARD.md",
            *(f"{form['folder']}/model.c" for form in self.c.values()),
            *sorted(name for name in made if name),
            "model.zip",
            "export.json",
        ]

    def facts(self) -> list[tuple[str, str]]:
        """Return what a reader asks of an export: sizes, accuracy, agreement."""
        found = [
            (f"Test accuracy, {form}", f"{self.test_accuracy_percent[form]:.2f} %")
            for form in ("fp32", "int8")
            if form in self.test_accuracy_percent
        ]
        for weights, form in self.c.items():
            sizes = {"flash": form.get("flash_bytes"), "RAM": form.get("ram_bytes")}
            known = [f"{kilobytes(size)} {name}" for name, size in sizes.items() if size]
            compiled = f" ({form['compiler']}, -Os)" if form.get("compiler") else ""
            found.append((f"C, {weights}", (", ".join(known) or "sizes not measured") + compiled))
            found.append((f"C, {weights}: same class", agreement(form)))
            for name, made in form.get("devices", {}).items():
                found.append((f"C, {weights}, on {name}", device(made)))
        found += [
            (f"ONNX, {weights}: same class", agreement(form)) for weights, form in self.onnx.items()
        ]
        refused = self.nir.get("refused")
        found.append(("NIR", str(refused)) if refused else ("NIR: same class", agreement(self.nir)))
        return found


def device(made: Mapping[str, Any]) -> str:
    """Return what a program for a microcontroller takes, and by which compiler."""
    if "refused" in made:
        return str(made["refused"])
    ram = made.get("ram_bytes", made["static_ram_bytes"])
    sizes = f"{kilobytes(made['flash_bytes'])} flash, {kilobytes(ram)} RAM"
    ran = "not run"
    if "emulator" in made:
        ran = f"{count(made['instructions_per_image'])} instructions per image, same class on "
        ran += agreement(made)
    return f"{sizes}; {ran} ({made['compiler']}, {made['options']})"


def agreement(form: Mapping[str, Any]) -> str:
    """Return on how many images a form gives the right class, that of its reference."""
    if form.get("images") is None:
        return "not run"
    return f"{count(form['same_class'])} of {count(form['images'])} images"
