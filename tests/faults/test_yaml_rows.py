"""Files that are no configuration at all, and settings on a command line that are none."""

from pathlib import Path

from runner import Row, check, rows

COMMAND = "adopt --config e.yaml"


def _folder(folder: Path) -> None:
    (folder / "e.yaml").mkdir()


ROWS = [
    Row("file missing", COMMAND, "e.yaml: cannot be read: No such file or directory"),
    Row("folder", COMMAND, "e.yaml: cannot be read: Is a directory", make=_folder),
    Row("empty file", COMMAND, "e.yaml: top level: must hold keys and values", {"e.yaml": ""}),
    Row("text", COMMAND, "top level: must hold keys and values", {"e.yaml": "demo\n"}),
    Row("list", COMMAND, "top level: must hold keys and values", {"e.yaml": "- a\n- b\n"}),
    Row("utf-16", COMMAND, "line 1: is not UTF-8", {"e.yaml": "experiment: x\n".encode("utf-16")}),
    Row(
        "latin-1", COMMAND, "line 2: is not UTF-8 text",
        {"e.yaml": "experiment: x\n# für uns\n".encode("latin-1")},
    ),
    Row("null byte", COMMAND, "not valid YAML", {"e.yaml": "experiment: x\x00\n"}),
    Row("tab", COMMAND, "indent with spaces, not tabs", {"e.yaml": "network:\n\tpool: 2\n"}),
    Row("open bracket", COMMAND, "line 2: not valid YAML", {"e.yaml": "datasets: [digits\n"}),
    Row("open quote", COMMAND, "not valid YAML", {"e.yaml": 'experiment: "x\n'}),
    Row("colon lost", COMMAND, "not valid YAML", {"e.yaml": "experiment: x\nthreads 1\na: b\n"}),
    Row("indented twice", COMMAND, "line 3: not valid YAML", {"e.yaml": "a:\n    b: 1\n  c: 1\n"}),
    Row("unknown anchor", COMMAND, "undefined alias", {"e.yaml": "network: *small\n"}),
    Row("two documents", COMMAND, "not valid YAML", {"e.yaml": "a: 1\n---\nb: 2\n"}),
    Row("python object", COMMAND, "not valid YAML", {"e.yaml": "a: !!python/object:os.system x\n"}),
    Row("impossible date", COMMAND, "month must be in", {"e.yaml": "experiment: 2024-13-01\n"}),
    Row("merge of text", COMMAND, "not valid YAML", {"e.yaml": "network:\n  <<: small\n"}),
    Row(
        "key twice", COMMAND, "e.yaml: key 'threads' stands in line 1 and again in line 3",
        {"e.yaml": "threads: 1\nexperiment: x\nthreads: 2\n"},
    ),
    Row(
        "key twice inside", COMMAND, "key 'pool' stands in line 2 and again in line 3",
        {"e.yaml": "network:\n  pool: 1\n  pool: 2\n"},
    ),
    Row(
        "merge twice", COMMAND, "key '<<' stands in line 2 and again in line 3: write <<: [*first",
        {"e.yaml": "network:\n  <<: {pool: 1}\n  <<: {pool: 2}\n"},
    ),
    Row(
        "key twice in a merge", COMMAND, "key 'pool' stands in line 2 and again in line 2",
        {"e.yaml": "network:\n  <<: {pool: 1, pool: 2}\n"},
    ),
    # An accent within its letter, and one behind it.
    Row(
        "same letters", COMMAND, "stands in line 1 and again in line 2: remove one",
        {"e.yaml": "caf\u00e9: 1\ncafe\u0301: 2\n".encode()},
    ),
    Row("list as key", COMMAND, "found unhashable key", {"e.yaml": "[a, b]: 1\nexperiment: x\n"}),
    Row("number as key", COMMAND, "1: a key must be text: put it in quotes", {"e.yaml": "1: x\n"}),
    Row("key without value", COMMAND, "experiment: must be text", {"e.yaml": "experiment:\n"}),
    Row("no experiment", COMMAND, "experiment: this key is missing", {"e.yaml": "threads: 1\n"}),
    Row("no data sets", COMMAND, "datasets: this key is missing", {"e.yaml": "experiment: x\n"}),
    Row("deep nesting", COMMAND, "brackets are nested too deep", {"e.yaml": "[" * 3000}),
    Row(
        "settings of a script", "cells --kernel-sizes 1 3 --network '{channels: 0}'",
        "NetworkConfig: channels: must be at least 1 (found 0)",
    ),
    Row(
        "settings without keys", "cells --kernel-sizes 1 3 --network 16",
        "NetworkConfig: top level: must hold keys and values",
    ),
    Row(
        "settings not closed", "cells --kernel-sizes 1 3 --search '{iterations: 5'",
        "SearchConfig, line 1: not valid YAML",
    ),
    Row(
        "settings twice", "cells --kernel-sizes 1 3 --search '{seed: 5, seed: 6}'",
        "SearchConfig: key 'seed' stands in line 1",
    ),
    Row(
        "settings in a lost file", "cells --kernel-sizes 1 3 --network net.yaml",
        "net.yaml: cannot be read: No such file or directory",
    ),
    Row(
        "settings in a file", "cells --kernel-sizes 1 3 --network net.yaml",
        "net.yaml, line 2: pool: must be at least 1 (found 0)",
        {"net.yaml": "channels: 4\npool: 0\n"},
    ),
]  # fmt: skip


@rows(ROWS)
def test_yaml(row: Row, tmp_path: Path) -> None:
    check(row, tmp_path)
