"""Errors that a user can act on; scripts print them as one line, and `cli` has their status."""


class SpikernelError(Exception):
    """Something the user can mend: the message says what is wrong, where, and what to do."""


class ConfigError(SpikernelError):
    """A configuration value is unknown, malformed or contradicts another one."""


class DataError(SpikernelError):
    """A data file is missing, truncated, altered or not what it claims to be."""


class BudgetError(SpikernelError):
    """No architecture meets the parameter or memory budget."""


class DeviceError(SpikernelError):
    """The device asked for is not there."""


class TrainingError(SpikernelError):
    """Training can not go on, for instance because the loss is not finite."""


class TableError(SpikernelError):
    """A table that steps exchange lacks a column or holds an impossible value."""


class UnfinishedError(SpikernelError):
    """Work stopped in good order before its end; the same command goes on."""


class ExportError(SpikernelError):
    """A net, or an operation in it, cannot be expressed in the form asked for."""
