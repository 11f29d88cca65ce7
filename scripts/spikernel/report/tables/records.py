"""The JSON files of the earlier steps; every number is checked when it is read."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spikernel import artifacts, provenance
from spikernel.config import model_name
from spikernel.errors import TableError

MODEL_KEY = ("dataset", "kernel_set", "rank", "width", "seed")
"""What names one training: a model of a data set and a seed."""

Key = tuple[Any, ...]


class Record(BaseModel):
    """A file that another step wrote; keys that the report does not use are ignored."""

    KEY: ClassVar[tuple[str, ...]] = ()
    """Fields that no two files have in common."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check one file.

        Raises:
            SpikernelError: the file is missing or is not JSON.
            TableError: a key is missing, has the wrong type, or is out of range.

        """
        data = cls.content(path)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise TableError(f"{path}: {_first_fault(error)}") from None

    @staticmethod
    def content(path: Path) -> Any:
        """Return what a file holds, unchecked."""
        return artifacts.read_json(path)

    @classmethod
    def by_key(cls, paths: Iterable[Path]) -> dict[Key, Self]:
        """Read files, in the order of their paths, and index them by `KEY`.

        Raises:
            TableError: two files have the same key, or one cannot be trusted.

        """
        found: dict[Key, Self] = {}
        for path in sorted(paths):
            record = cls.read(path)
            if record.key in found:
                raise TableError(f"{path}: {path.name} of {named(record.key)} is given twice")
            found[record.key] = record
        return found

    @property
    def key(self) -> Key:
        """The values of `KEY`."""
        return tuple(getattr(self, name) for name in self.KEY)


def named(key: Key) -> str:
    """Return a key in words, for messages: `digits k1-3 rank 1 seed 0`, or its beginning."""
    words = [*map(str, key[:2]), *([model_name(*key[2:4])] if len(key) > 2 else [])]
    return " ".join([*words, *(f"seed {seed}" for seed in key[4:])])


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = "/".join(str(part) for part in first["loc"]) or "top level"
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    return f"key '{key}': {first['msg'][:1].lower()}{first['msg'][1:]} (found {first['input']!r})"


class Metrics(Record):
    """Results of training and testing one model with one seed (`metrics.json`)."""

    KEY = MODEL_KEY

    dataset: str
    kernel_set: str
    kernel_sizes: tuple[int, ...] = Field(min_length=1)
    rank: int = Field(ge=1)
    """Place of the architecture in the ranking of its search, from 1."""
    width: float = Field(default=1.0, gt=0)
    """Multiple of `network/channels`; 1 in files of earlier versions."""
    channels: int | None = Field(default=None, ge=1)
    """Of the first stage; None in files of earlier versions."""
    archid: str
    """Operations of the edges 01, 02, 03, 12, 13, 23."""
    seed: int
    params: int = Field(ge=1)
    memory_mb_fp32: float = Field(gt=0)
    """Memory of the weights in MB (10^6 bytes), as are the next two."""
    memory_mb_fp16: float = Field(gt=0)
    memory_mb_int8: float = Field(gt=0)
    val_accuracy_percent: float = Field(ge=0, le=100)
    test_accuracy_percent: float = Field(ge=0, le=100)
    firing_rate: float = Field(ge=0, le=1)
    """Share of the neurons that fire, averaged over neurons, time steps and images."""
    effective_acs: float = Field(ge=0)
    """Accumulations per image."""
    effective_macs: float = Field(ge=0)
    """Multiply-accumulations per image."""
    dense_synops: float = Field(ge=0)
    """Operations per image if every input were nonzero."""
    energy_pj: float = Field(ge=0)
    """Compute energy per image in pJ, without memory traffic."""
    layer_firing_rates: dict[str, float] = {}
    """Firing rate of every layer of neurons, in the order in which they fire."""
    energy_pj_int8: float | None = Field(default=None, ge=0)
    state_bytes: int | None = Field(default=None, ge=0)
    """Memory that is kept from one time step to the next, in fp32."""
    train_seconds: float = Field(ge=0)
    epochs: int = Field(ge=0)
    time_steps: int = Field(ge=1)
    binary_steps: int | None = Field(default=None, ge=1)
    """Steps of binary spikes, T x D; None in files of earlier versions."""
    device: str

    @property
    def sizes(self) -> str:
        """The kernel sizes as a cell of a table."""
        return sizes_text(self.kernel_sizes)


class Deployment(Record):
    """What a device gets from one model and seed (`deployment.json`); None: not exported."""

    KEY = MODEL_KEY

    dataset: str
    kernel_set: str
    rank: int = Field(ge=1)
    width: float = Field(default=1.0, gt=0)
    seed: int
    archid: str
    int8_val_accuracy_percent: float | None = Field(ge=0, le=100)
    """Accuracy with the weights quantised to int8."""
    int8_test_accuracy_percent: float | None = Field(ge=0, le=100)
    fp32_bytes: int | None = Field(ge=0)
    """Constants of the exported net, as are the next."""
    int8_bytes: int | None = Field(ge=0)
    activation_bytes: int | None = Field(ge=0)
    """Peak of the values that are alive at once in the exported int8 model."""
    ram_bytes: int | None = Field(default=None, ge=0)
    """All static memory of its C code; None in files of earlier versions."""
    classes: tuple[str, ...] = Field(min_length=2)
    val_images: int = Field(ge=1)
    """Images behind each validation accuracy."""
    test_images: int = Field(ge=1)
    """Images behind each test accuracy."""


class Finalist(BaseModel):
    """A cell of a search that was ranked by its validation accuracy after a brief training."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    rank: int = Field(ge=1)
    score_rank: int = Field(ge=1)
    """Its place by score alone."""
    finalist_epochs: int = Field(ge=1)


class Search(Record):
    """Outcome and cost of the search over one kernel set (`search.json`)."""

    KEY = ("dataset", "kernel_set")

    dataset: str
    kernel_set: str
    kernel_sizes: tuple[int, ...] = Field(min_length=1)
    strategy: str
    evaluated: int = Field(ge=0)
    """Candidates that the strategy looked at."""
    distinct: int = Field(ge=0)
    """Different candidates among them; only these were scored."""
    seconds: float = Field(ge=0)
    device: str
    score: str
    best_score: float
    finalist_seconds: float | None = Field(default=None, ge=0)
    """Of the trainings of all finalists; None where the score alone ranks."""
    finalists: tuple[Finalist, ...] = ()

    def finalist(self, rank: int) -> Finalist | None:
        """Return the finalist of a rank; None where the rank is by score."""
        return next((item for item in self.finalists if item.rank == rank), None)


class Job(Record):
    """What one job left in its `provenance.json`."""

    step: str
    code: str
    """Version of the package, with the git commit where there was one."""
    settings: dict[str, Any]
    inputs: dict[str, str]
    """SHA-256 of every file read, by its path."""
    device: str
    python: str
    platform: str
    packages: dict[str, str]
    seconds: float = Field(ge=0)
    """Wall time of the job's own work."""
    finished: str

    @staticmethod
    def content(path: Path) -> Any:
        """Return what a record holds, unless it was altered."""
        return provenance.read(path)


class KernelSet(BaseModel):
    """One kernel set and why it is searched."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    name: str
    sizes: tuple[int, ...] = Field(min_length=1)
    origin: str
    evidence_percent: float
    cost: float
    place: int | None = None
    """By the rule, from 1; None where the sets are fixed, or the file is of an older version."""
    reason: str


class KernelSets(Record):
    """The kernel sets of one data set (`kernel_sets.json`)."""

    dataset: str
    rule: str
    """The rule by which sets were ranked, in words."""
    sets: tuple[KernelSet, ...] = Field(min_length=1)


def sizes_text(sizes: tuple[int, ...]) -> str:
    """Return kernel sizes as a table cell that needs no quotes, for instance `1 3`."""
    return " ".join(str(size) for size in sorted(sizes))
