# Shared by all rules: the checked configuration, what each job depends on, and how a run ends.
import atexit
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Jobs find their scripts from any working directory. Not a parameter of the rules, because results
# do not depend on where the project lies.
os.environ.update(SPIKERNEL_SCRIPTS=str(SCRIPTS))
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    # Packages of the user's own, installed with pip --user or named in PYTHONPATH, would come
    # before those of a job's environment.
    os.environ.update(PYTHONNOUSERSITE="1")
    os.environ.pop("PYTHONPATH", None)

from spikernel import cli

# A file given with --configfile stands for itself; it is not merged with the default one, which
# is that of the working directory, else the one that comes with the workflow.
DEFAULT = Path("config/config.yaml")
if not DEFAULT.exists():
    DEFAULT = Path(workflow.basedir) / DEFAULT


def relative(path):
    """Return a path as it is written from the working directory, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


with cli.one_line():
    from spikernel.code import digest
    from spikernel.config import strict_yaml
    from spikernel.interpreter import offer_own_python
    from spikernel.study import closing, experiment, own_files, shared_gpu
    from spikernel.study.run_log import RunLog

    # Snakemake reads them too, but lets the last of two equal keys win and knows no lines.
    DOCUMENTS = [
        strict_yaml.read(relative(path))
        for path in workflow.overwrite_configfiles or [DEFAULT]
    ]

if not workflow.overwrite_configfiles:

    configfile: DEFAULT


offer_own_python()

with cli.one_line():
    options = json.dumps(dict(workflow.config_settings.config), default=str)
    DOCUMENTS.append(strict_yaml.parse(options, "--config"))
    place = partial(strict_yaml.place, DOCUMENTS)
    CHECKED = experiment.parse(dict(config), place)
SECTIONS = CHECKED.sections()
# Every default filled in, so that rules look up exact leaves.
config.update(CHECKED.model_dump(mode="json"))

EXPERIMENT = CHECKED.experiment
# One net at a time fills a GPU; profiles/default says how many jobs may share those of a machine.
GPU_JOBS = shared_gpu.gpu_jobs(CHECKED.device)
# Not a parameter either: results do not depend on where the data sets lie.
os.environ.update(SPIKERNEL_DATA=CHECKED.data_dir)


def settings(path, without=()):
    """Return a params function: a section of the configuration as JSON for a script.

    It holds what differs from the defaults, so that a setting that is added later, with a
    default, reruns nothing.
    """

    def section(wildcards):
        changes = SECTIONS[path.format(**wildcards)].changes()
        return json.dumps(
            {key: value for key, value in changes.items() if key not in without}
        )

    return section


def own_images(wildcards):
    """Return the digest of the names and sizes of a user's own images; None for published ones."""
    name, place = wildcards.dataset, f"{wildcards.experiment}/{wildcards.dataset}"
    record = Path(f"results/{place}/prepare_data/provenance.json")
    section = SECTIONS[f"datasets/{name}/data"]
    return own_files.found_or_recorded(name, section, Path(CHECKED.data_dir), record)


def code(script, *paths):
    """Return a params function: the digest of the code that a script reaches.

    An edit of a comment leaves it as it is; so does an edit of a part (a neuron, a score) that
    none of the sections of the configuration names.
    """

    def value(wildcards):
        sections = [SECTIONS[path.format(**wildcards)] for path in paths]
        return digest(
            script, [part for section in sections for part in section.parts()]
        )

    return value


def weights(path):
    """Return an input function: the weights that a section's training starts or learns from.

    The paths are from the working directory, as they are for the script.
    """

    def files(wildcards):
        return list(SECTIONS[path.format(**wildcards)].weights().values())

    return files


def interrupt(number, frame):
    """End a run at Ctrl-C in one line, without the logs of all jobs that end with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logger.disabled = True
    print(f"\n{cli.INTERRUPTED}", file=sys.stderr, flush=True)
    sys.exit(cli.EXIT_INTERRUPTED)


if workflow.is_main_process:
    signal.signal(signal.SIGINT, interrupt)
    logger.addFilter(RunLog())


def say_result(files):
    """Let a run end with its result in five lines, if all files of the experiment are there."""
    if all(map(os.path.exists, files)):
        folder, enabled = Path("results") / EXPERIMENT, CHECKED.export.enabled
        text = "\n".join(closing.lines(folder, list(CHECKED.datasets), enabled))
        # Behind what Snakemake says last.
        atexit.register(print, f"\n{text}", file=sys.stderr, flush=True)
