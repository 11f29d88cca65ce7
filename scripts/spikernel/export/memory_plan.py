"""Where values lie in static memory, which those that do not live at the same time share.

There is one arena per element type, so that no memory is read as another type than it was
written as. Spikes are packed, one bit each; the bits of a pixel's channels begin at a byte.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spikernel.export.program import Program
from spikernel.export.steps import Add, Affine, Convolve, Step, Value

Element = Literal["float", "uint8_t", "uint16_t"]
BYTES: dict[Element, int] = {"float": 4, "uint8_t": 1, "uint16_t": 2}


def element_type(value: Value) -> Element:
    """Return the C type of a value's elements."""
    if value.kind == "real":
        return "float"
    if value.kind == "counts" and value.limit > 255:
        return "uint16_t"
    return "uint8_t"


def elements(value: Value) -> int:
    """Return how many elements of that type a value takes."""
    if value.kind != "spikes":
        return value.size
    channels, height, width = value.shape
    return (channels + 7) // 8 * height * width


@dataclass(frozen=True)
class Place:
    """Where a value lies: its arena and the index of its first element there."""

    element: Element
    offset: int


@dataclass(frozen=True)
class MemoryPlan:
    """The static memory of a program, in bytes per kind.

    Attributes:
        places: of every value a step computes.
        arena_elements: length of each arena in elements.
        state_bytes: membrane potentials and delayed values.
        whole_sums: integer sums that are open at once, 4 bytes each: the channels of one pixel.
        real_sums: the same of real sums, which are another array.

    """

    places: dict[Value, Place]
    arena_elements: dict[Element, int]
    state_bytes: int
    whole_sums: int
    real_sums: int

    @property
    def activation_bytes(self) -> int:
        """Peak memory of the values between the steps."""
        return sum(BYTES[element] * count for element, count in self.arena_elements.items())

    @property
    def ram_bytes(self) -> int:
        """All static memory; the image itself belongs to the caller."""
        return self.activation_bytes + self.state_bytes + 4 * (self.whole_sums + self.real_sums)


@dataclass
class _Buffer:
    """Values that share one place one after the other, from step `first` to step `last`."""

    element: Element
    size: int
    first: int
    last: int
    values: list[Value]
    offset: int = 0

    def meets(self, other: "_Buffer") -> bool:
        return self.first <= other.last and other.first <= self.last


def plan(program: Program) -> MemoryPlan:
    """Lay out the values of a program.

    Constant steps run before the loop over time. What they leave for the loop is kept to the
    end, as are the logits and what is remembered for the next time step.
    """
    buffers = _merged(program)
    lengths: dict[Element, int] = {}
    places = {}
    for element in BYTES:
        group = [buffer for buffer in buffers if buffer.element == element]
        lengths[element] = _place(group)
        for buffer in group:
            places.update({value: Place(element, buffer.offset) for value in buffer.values})
    return MemoryPlan(
        places=places,
        arena_elements=lengths,
        state_bytes=program.state_bytes,
        whole_sums=_most_channels(program, whole=True),
        real_sums=_most_channels(program, whole=False),
    )


def _most_channels(program: Program, *, whole: bool) -> int:
    """Return the channels of the widest convolution whose sums are whole, or are not."""
    convolutions = (step for step in program.steps if isinstance(step, Convolve))
    return max((s.target.shape[0] for s in convolutions if s.whole == whole), default=0)


def last_reads(program: Program) -> dict[Value, int]:
    """Return the index of the last step that reads each value.

    It is the number of steps for what is kept to the end or read again at the next time step.
    """
    end = len(program.steps)
    last: dict[Value, int] = {}
    for index, step in enumerate(program.steps):
        for source in step.sources:
            # A constant that the loop reads is read again at the next time step.
            kept = source.constant and not step.target.constant
            last[source] = end if kept else max(last.get(source, 0), index)
    for value in (program.logits, *(delay.write for delay in program.delays)):
        last[value] = end
    return last


def _merged(program: Program) -> list[_Buffer]:
    """Return the buffers; element-wise steps write over an input that nobody reads later."""
    last = last_reads(program)
    holder: dict[Value, _Buffer] = {}
    buffers = []
    for index, step in enumerate(program.steps):
        target = step.target
        end = last.get(target, index)
        reused = next(
            (holder[s] for s in _replaceable(step) if s in holder and last[s] == index), None
        )
        if reused is not None:
            reused.values.append(target)
            reused.last = end
            holder[target] = reused
            continue
        buffer = _Buffer(element_type(target), elements(target), index, end, [target])
        holder[target] = buffer
        buffers.append(buffer)
    return buffers


def _replaceable(step: Step) -> tuple[Value, ...]:
    """Return the inputs that a step may write over while it reads them.

    The kernel for sums adds one term after another to the first two, so these are safe unless
    they come again later.
    """
    if isinstance(step, Affine):
        return step.sources
    if isinstance(step, Add):
        return tuple(term for term in step.terms[:2] if term not in step.terms[2:])
    return ()


def _place(buffers: Iterable[_Buffer]) -> int:
    """Give each buffer the lowest offset at which it meets no other; return the length needed."""
    placed: list[_Buffer] = []
    for buffer in sorted(buffers, key=lambda item: (-item.size, item.first)):
        offset = 0
        for other in sorted(placed, key=lambda item: item.offset):
            if buffer.meets(other) and offset + buffer.size > other.offset:
                offset = max(offset, other.offset + other.size)
        buffer.offset = offset
        placed.append(buffer)
    return max((buffer.offset + buffer.size for buffer in placed), default=0)
