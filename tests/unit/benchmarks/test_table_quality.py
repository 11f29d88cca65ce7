"""Which rows of a published table were not trained like the others, by hand."""

import json
from pathlib import Path

import pytest
import table_quality

HEADER = "arch_id,edge_01,edge_02,edge_03,edge_12,edge_13,edge_23,params,test_acc_percent\n"


def test_rows_of_one_function_deviate_from_their_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bench.csv"
    path.write_text(
        HEADER
        # One function: what lies on edge 01, or on 02, leads nowhere.
        + "5,lif1.0_conv3,zero,lif1.0_conv3,zero,zero,zero,5,60\n"
        + "6,zero,zero,lif1.0_conv3,zero,zero,zero,5,61\n"
        + "10000,zero,skip,lif1.0_conv3,zero,zero,zero,5,65\n"
        # At chance, and alone with its function.
        + "10001,skip,zero,lif1.0_conv3,zero,zero,zero,5,10\n"
        + "7,zero,zero,skip,zero,zero,zero,5,40\n"
    )
    table_quality.main(path, ranges=2)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["deviation_percent"]
    # The mean is 62; the halves of 5^6 numbers end at 7,812.
    assert found == [
        {"from": 0, "to": 7812, "rows": 2, "mean": -1.5, "sd": 0.5},
        {"from": 7812, "to": 15625, "rows": 1, "mean": 3.0, "sd": 0.0},
    ]
