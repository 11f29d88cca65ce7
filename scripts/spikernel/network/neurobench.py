"""The metrics of a trained net under NeuroBench's names and definitions.

NeuroBench (Yik et al., Nature Communications 16, 2025, doi 10.1038/s41467-025-56739-4):
averages are per sample; the effective operations leave out zero inputs.
"""

from typing import Any

from torch import nn

from spikernel.network.activity import Activity


def neurobench_metrics(
    net: nn.Module, activity: Activity, accuracy_percent: float
) -> dict[str, Any]:
    """Return the metrics as NeuroBench's harness names them, JSON-ready.

    Args:
        net: the trained net.
        activity: what was measured on test images.
        accuracy_percent: accuracy on the test split.

    """
    weights = [m.weight for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    held = [*net.parameters(), *net.buffers()]
    return {
        "Footprint": sum(tensor.numel() * tensor.element_size() for tensor in held),
        "ParameterCount": sum(parameter.numel() for parameter in net.parameters()),
        "ConnectionSparsity": sum(int((weight == 0).sum()) for weight in weights)
        / sum(weight.numel() for weight in weights),
        "ActivationSparsity": 1 - activity.firing_rate,
        "SynapticOperations": {
            "Effective_MACs": activity.effective_macs,
            "Effective_ACs": activity.effective_acs,
            "Dense": activity.dense_synops,
        },
        "ClassificationAccuracy": accuracy_percent / 100,
    }
