"""Where the files of one trained model and seed lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from spikernel.errors import TableError


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: a model of a data set with one seed."""

    dataset: str
    kernel_set: str
    rank: int
    width: float
    seed: int
    folder: Path
    """Folder of metrics.json, history.csv and model.safetensors."""

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the run that a file belongs to, by its place.

        The place is `<dataset>/train_final/<kernel_set>/rank-<r>/seed-<s>/<file>`, where
        `rank-<r>_width-<w>` stands for other widths than 1.

        Raises:
            TableError: the file lies elsewhere.

        """
        try:
            dataset, step, kernel_set, model, seed = path.parts[-6:-1]
            rank, _, width = model.partition("_width-")
            if step != "train_final":
                raise ValueError(step)
            return cls(
                dataset=dataset,
                kernel_set=kernel_set,
                rank=int(rank.removeprefix("rank-")),
                width=float(width or 1),
                seed=int(seed.removeprefix("seed-")),
                folder=path.parent,
            )
        except ValueError:
            raise TableError(
                f"{path} does not lie at <dataset>/train_final/<kernel_set>/rank-<r>/seed-<s>/"
            ) from None
