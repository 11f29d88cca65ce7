"""Results that other papers published, kept apart from everything measured here.

The figures and tables mark each of them as published. Most are the best epoch on the test
set, with other recipes and time steps, so they show what the field reaches; they are no
controlled comparison. A number that a paper does not state is empty, never estimated.
"""

from dataclasses import asdict, dataclass

import pandas as pd

_SPIKERNEL = (
    "R. V. W. Putra et al., SpiKernel, IEEE Embedded Systems Letters 17(3), 2025, "
    "doi 10.1109/LES.2024.3510197, arXiv 2404.01685 (abstract)"
)
_SNASNET = "Y. Kim et al., Neural Architecture Search for SNNs, ECCV 2022, arXiv 2201.10355"
_QKFORMER = "C. Zhou et al., QKFormer, NeurIPS 2024, arXiv 2403.16552"
_SGLFORMER = "H. Zhang et al., SGLFormer, Frontiers in Neuroscience, 2024"
_SPIKFORMER = "Z. Zhou et al., Spikformer, ICLR 2023, arXiv 2209.15425"
_CLIF = "Y. Huang et al., CLIF: Complementary Leaky Integrate-and-Fire Neuron, arXiv 2402.04663"
_DSAS = "DSAS, architecture search for SNNs with an ANN teacher (see docs/method.md)"

PARAMETER_BOUND = 10_000_000
"""Parameters below which all of the SpiKernel paper's nets stay, by its abstract."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published accuracy."""

    system: str
    dataset: str
    params_m: float | None
    """Millions of parameters; empty where the source does not say."""
    params_is_upper_bound: bool = False
    """The source says only that there are fewer parameters than `params_m`."""
    test_accuracy_percent: float
    time_steps: int | None
    """T; empty where the source does not say."""
    source: str


def _rows(
    system: str,
    source: str,
    time_steps: int | None,
    results: dict[str, tuple[float | None, float]],
    *,
    upper_bound: bool = False,
) -> list[Published]:
    return [
        Published(
            system=system,
            dataset=dataset,
            params_m=params_m,
            params_is_upper_bound=upper_bound,
            test_accuracy_percent=accuracy,
            time_steps=time_steps,
            source=source,
        )
        for dataset, (params_m, accuracy) in results.items()
    ]


RESULTS: tuple[Published, ...] = (
    *_rows(
        "SpiKernel (paper)",
        _SPIKERNEL,
        None,
        {"cifar10": (10, 93.24), "cifar100": (10, 70.84), "tinyimagenet": (10, 62.0)},
        upper_bound=True,
    ),
    *_rows(
        "SNASNet-Fw",
        _SNASNET,
        5,
        {"cifar10": (19.5, 93.12), "cifar100": (20.6, 70.06), "tinyimagenet": (74, 52.81)},
    ),
    *_rows(
        "SNASNet-Bw",
        _SNASNET,
        5,
        {"cifar10": (19.5, 93.73), "cifar100": (20.6, 73.04), "tinyimagenet": (74, 54.60)},
    ),
    *_rows("QKFormer", _QKFORMER, 4, {"cifar10": (6.7, 96.18), "cifar100": (6.7, 81.15)}),
    *_rows("SGLFormer", _SGLFORMER, 4, {"cifar10": (8.9, 96.76), "cifar100": (8.9, 82.26)}),
    *_rows("Spikformer-4-384", _SPIKFORMER, 4, {"cifar10": (9.3, 95.51), "cifar100": (9.3, 78.21)}),
    *_rows("CLIF ResNet-18", _CLIF, 6, {"cifar10": (11.2, 95.41), "cifar100": (11.2, 78.36)}),
    *_rows("DSAS", _DSAS, None, {"cifar100": (None, 81.97), "tinyimagenet": (None, 65.50)}),
)
"""Every published result that the report may show."""

COLUMNS = tuple(Published.__dataclass_fields__)
"""Columns of the table of published results."""


def table(datasets: list[str], shown: bool = True) -> pd.DataFrame:
    """Return the published results on the given data sets, or none if they are not to be shown.

    Only data sets of the very same name match: a subset or a variant is another data set.
    """
    rows = [asdict(row) for row in RESULTS if shown and row.dataset in datasets]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"params_m": float, "test_accuracy_percent": float})
