"""Which C function a step needs, by the kinds of its numbers or its rule."""

from dataclasses import dataclass

from spikernel.errors import ExportError
from spikernel.export.memory_plan import element_type
from spikernel.export.steps import AveragePool, Convolve, Fire


@dataclass(frozen=True)
class ConvolutionKernel:
    """One instance of the convolution in `kernels.h.j2`."""

    name: str
    what: str
    input: str
    """C type of an element of the input."""
    weight: str
    sum: str
    """C type of a sum, and of an input in a product: `int32_t` for whole numbers, else `float`."""
    packed: bool
    """Whether the input is packed spikes, whose weights are added, not multiplied."""
    centre: str | None
    """C type of what is subtracted from pixels."""
    scaled: bool
    """Whether a sum is multiplied by the scale of its channel."""

    @property
    def cast(self) -> bool:
        """Whether a weight must be cast before it is multiplied."""
        return self.weight != self.sum


def convolution(step: Convolve) -> ConvolutionKernel:
    """Return the function for a convolution."""
    int8 = step.weights.scale is not None
    kind = step.source.kind
    wide = element_type(step.source) == "uint16_t"
    precision = "int8" if int8 else "float"
    return ConvolutionKernel(
        name=f"spk_conv_{kind}{'16' if wide else ''}_{precision}",
        what=f"{'packed spikes' if kind == 'spikes' else kind} with {precision} weights",
        input=element_type(step.source),
        weight="int8_t" if int8 else "float",
        sum="int32_t" if step.whole else "float",
        packed=kind == "spikes",
        centre=None if step.centre is None else ("int16_t" if step.whole else "float"),
        scaled=int8,
    )


@dataclass(frozen=True)
class PoolKernel:
    """One instance of the pooling in `kernels.h.j2`."""

    name: str
    what: str
    input: str
    output: str
    sum: str
    packed: bool
    mean: bool
    counts: bool
    """Whether the input counts spikes, up to a limit that the mean is divided by."""


def pool(step: AveragePool) -> PoolKernel:
    """Return the function for a pooling."""
    packed = step.source.kind == "spikes"
    output = element_type(step.target)
    mean = output == "float"
    if step.source.kind == "pixels":
        raise ExportError(f"{step.layer}: pooling of {step.source.kind} cannot be exported to C")
    what = "Mean" if mean else "Number"
    read = "values" if step.source.kind == "real" else "spikes"
    return PoolKernel(
        name=f"spk_{'mean' if mean else 'count'}_{step.source.kind}"
        + ("16" if "uint16_t" in (element_type(step.source), output) else ""),
        what=f"{what} of the {read} in each window, padding included.",
        input=element_type(step.source),
        output=output,
        sum="float" if mean else "int32_t",
        packed=packed,
        mean=mean,
        counts=step.source.kind == "counts",
    )


@dataclass(frozen=True)
class NeuronKernel:
    """One instance of the neurons in `kernels.h.j2`."""

    name: str
    what: str
    leaks: bool
    subtracts: bool
    """Whether the threshold is subtracted after a spike; otherwise the potential is 0 then."""


def neurons(step: Fire) -> NeuronKernel:
    """Return the function for a layer of neurons.

    Raises:
        ExportError: it has no C code.

    """
    step.require("C", known=("initial",))
    rule = step.dynamics
    leaks, subtracts = rule.tau is not None, rule.reset == "subtract"
    name = f"spk_fire_{'leaky' if leaks else 'sum'}_{'soft' if subtracts else 'hard'}"
    return NeuronKernel(name, rule.equation, leaks, subtracts)
