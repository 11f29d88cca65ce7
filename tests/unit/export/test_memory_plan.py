import re
from typing import Any

import numpy as np
import pytest
from nets import CLASSES, FACTORS, FEEDBACK, FORWARD, MEAN, MODERN, SD, SKIPS, active_net

from spikernel.export.c_source import c_files
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import BYTES, MemoryPlan, elements, plan
from spikernel.export.program import Program
from spikernel.export.quantise import quantise
from spikernel.export.steps import Add, Affine, Fire, Value


def owners_hold(program: Program, memory: MemoryPlan) -> None:
    """Run the program on owners instead of numbers: who wrote each element last?"""
    arenas = {element: np.full(length, -1) for element, length in memory.arena_elements.items()}
    numbers = {step.target: index for index, step in enumerate(program.steps)}

    def span(value: Value) -> "np.ndarray":  # type: ignore[type-arg]
        place = memory.places[value]
        return arenas[place.element][place.offset : place.offset + elements(value)]

    def check(value: Value) -> None:
        if value in memory.places:
            assert (span(value) == numbers[value]).all(), f"{value.name} was written over"

    for repeat in range(3):
        for step in program.repeated if repeat else program.once:
            for source in step.sources:
                check(source)
            span(step.target)[:] = numbers[step.target]
        if repeat:
            check(program.logits)
            for delay in program.delays:
                check(delay.write)


@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK, SKIPS])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_no_value_is_written_over_before_its_last_read(archid: str, precision: str) -> None:
    program = lower(active_net(archid), MEAN, SD, CLASSES)
    if precision == "int8":
        program = quantise(program)
    memory = plan(program)
    owners_hold(program, memory)
    separate = sum(elements(step.target) * 4 for step in program.steps)
    assert memory.activation_bytes < separate / 2


def test_a_plan_by_hand() -> None:
    """stem -> neurons -> 1x1 edge -> ... on 10x10 maps of 5 channels."""
    program = lower(active_net("zero-zero-k1-zero-zero-zero", head="gap"), MEAN, SD, CLASSES)
    memory = plan(program)
    # Spikes of 5 channels take one byte per pixel, those of 10 channels two.
    fires = [step.target for step in program.steps if isinstance(step, Fire)]
    assert [elements(value) for value in fires] == [100, 100, 25 * 2, 25 * 2]
    assert memory.arena_elements["uint8_t"] == 100
    # Alive at once: the stem's output, kept for the next step, the widest map, which is that of
    # the transition before its pooling (10 channels of 10x10), and the pooled map.
    assert memory.arena_elements["float"] == 500 + 1000 + 250
    assert memory.state_bytes == 4 * (500 + 500 + 250 + 250)
    assert memory.ram_bytes == 4 * 1750 + 100 + 4 * 1500 + 4 * 10
    assert BYTES["uint16_t"] == 2


def test_norms_and_sums_work_in_place() -> None:
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    memory = plan(program)
    for step in program.steps:
        if isinstance(step, Affine) or (isinstance(step, Add) and step.layer == "cell2.node3"):
            assert memory.places[step.target] in [
                memory.places[source] for source in step.sources if source in memory.places
            ]


@pytest.mark.parametrize(
    ("archid", "settings", "sums"),
    [
        # Dense: all sums are whole; the widest convolution has the 10 channels of stage 2.
        (FORWARD, {}, {"whole_sums": 10, "real_sums": 0}),
        # The second factor of a convolution reads real values; stage 3 has 4 x 4 channels.
        (FACTORS, MODERN, {"whole_sums": 16, "real_sums": 16}),
    ],
)
def test_planned_bytes_are_those_of_the_declared_arrays(
    archid: str, settings: dict[str, Any], sums: dict[str, int]
) -> None:
    program = quantise(lower(active_net(archid, **settings), MEAN, SD, CLASSES))
    memory = plan(program)
    source = c_files(program, "test")["model.c"]
    declared = re.findall(r"^static (float|u?int\d+_t) (\w+)\[(\d+)\];$", source, re.MULTILINE)
    of_type = {**BYTES, "int32_t": 4}
    assert memory.ram_bytes == sum(of_type[kind] * int(length) for kind, _, length in declared)
    lengths = {name: int(length) for _, name, length in declared}
    assert {name: lengths.get(name, 0) for name in sums} == sums
