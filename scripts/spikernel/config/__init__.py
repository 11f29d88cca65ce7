"""Strict, documented configuration of every step."""

from spikernel.config.base import KernelSizes, StrictModel
from spikernel.config.datasets import DatasetConfig
from spikernel.config.design import DesignConfig
from spikernel.config.export import ExportConfig
from spikernel.config.final import FinalConfig, model_name, width_of, width_suffix
from spikernel.config.finalists import FinalistConfig
from spikernel.config.impact import Control, ImpactConfig
from spikernel.config.network import MACROS, ConvolutionType, NetworkConfig
from spikernel.config.phases import PhaseConfig
from spikernel.config.report import ReportConfig
from spikernel.config.search import Budget, SearchConfig
from spikernel.config.training import RECIPES, TrainingConfig
from spikernel.config.workflow import WorkflowConfig, kernel_set_name

__all__ = [
    "MACROS",
    "RECIPES",
    "Budget",
    "Control",
    "ConvolutionType",
    "DatasetConfig",
    "DesignConfig",
    "ExportConfig",
    "FinalConfig",
    "FinalistConfig",
    "ImpactConfig",
    "KernelSizes",
    "NetworkConfig",
    "PhaseConfig",
    "ReportConfig",
    "SearchConfig",
    "StrictModel",
    "TrainingConfig",
    "WorkflowConfig",
    "kernel_set_name",
    "model_name",
    "width_of",
    "width_suffix",
]
