"""Strict, documented configuration of every step."""

from spikernel.config.base import KernelSizes, StrictModel
from spikernel.config.datasets import DATASETS, DatasetConfig
from spikernel.config.network import MACROS, ConvolutionType, NetworkConfig
from spikernel.config.steps import (
    Budget,
    Control,
    DesignConfig,
    ExportConfig,
    ImpactConfig,
    ReportConfig,
    SearchConfig,
)
from spikernel.config.training import RECIPES, TrainingConfig
from spikernel.config.workflow import WorkflowConfig, kernel_set_name

__all__ = [
    "DATASETS",
    "MACROS",
    "RECIPES",
    "Budget",
    "Control",
    "ConvolutionType",
    "DatasetConfig",
    "DesignConfig",
    "ExportConfig",
    "ImpactConfig",
    "KernelSizes",
    "NetworkConfig",
    "ReportConfig",
    "SearchConfig",
    "StrictModel",
    "TrainingConfig",
    "WorkflowConfig",
    "kernel_set_name",
]
