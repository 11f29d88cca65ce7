"""Whether finished results are as their jobs wrote them, and made from what lies beside them."""

from collections import defaultdict
from functools import cache
from pathlib import Path

from spikernel import artifacts, provenance
from spikernel.errors import DataError


def records(results: Path) -> list[Path]:
    """Return the record of every job under a folder.

    Raises:
        DataError: there is none.

    """
    found = sorted(results.rglob("provenance*.json"))
    if not found:
        raise DataError(f"{results} holds no provenance record: nothing to compare with")
    return found


def verify(results: Path) -> int:
    """Compare every file under a folder with the SHA-256 in the records of the jobs.

    The record of the job that made a file names it, and so do those of the jobs that read it.

    Returns:
        How many files were compared.

    Raises:
        DataError: there is no record, one was altered, a recorded file is missing or altered, or a
            result was made from other files than are there now; the message names each.

    """
    compared, faults = 0, []
    for record in records(results):
        for name, expected in provenance.recorded_outputs(record).items():
            compared += 1
            # Records of earlier versions leave out the folder that a figure lies in.
            found = [record.parent / name, *record.parent.rglob(f"*/{name}")]
            path = next((item for item in found if item.is_file()), None)
            if path is None:
                faults.append(f"{record.parent / name} is missing")
            elif artifacts.file_hash(path) != expected:
                faults.append(f"{path} is not what {record.name} beside it says")
    faults += _outdated(results)
    if faults:
        raise DataError(
            f"{len(faults)} of {compared} files cannot be trusted; delete them and make or fetch "
            "them again:\n  " + "\n  ".join(faults)
        )
    return compared


def _outdated(results: Path) -> list[str]:
    """Say which results were made from files that have changed since.

    A record names what its job read by the path of that time, and results may have moved. So each
    end of a path that leads to a file under the folder is tried; what stands before it was the
    folder's place if the content of any file says so.
    """
    file_hash = cache(artifacts.file_hash)
    known: set[tuple[str, ...]] = set()
    differing: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for record in records(results):
        for name, expected in provenance.recorded_inputs(record).items():
            parts = Path(name.lstrip("/")).parts
            for start in range(len(parts)):
                path, place = results.joinpath(*parts[start:]), parts[:start]
                if not path.is_file():
                    continue
                if file_hash(path) == expected:
                    known.add(place)
                else:
                    differing[place].append(f"what {record} names was made from another {path}")
    return [fault for place in sorted(known) for fault in differing[place]]
