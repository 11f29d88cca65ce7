"""The chosen models image by image."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from report_experiment import ARCHIDS, Experiment, change, page_of

from spikernel.errors import TableError
from spikernel.report.page import headlines, image_evidence
from spikernel.report.page.image_evidence import Judged
from spikernel.report.tables import comparisons, models, selection
from spikernel.report.tables.records import Deployment


def judged(experiment: Experiment) -> list[Judged]:
    out = experiment.tables(memory_budgets_mb=[40.0])
    return image_evidence.build(
        headlines.chosen(selection.read(out / "selection.csv")),
        models.read(out / "models.csv"),
        comparisons.by_key(experiment.deployments, experiment.predictions),
        Deployment.by_key(experiment.deployments),
    )


def test_confusions_are_counted_by_class(experiment: Experiment) -> None:
    (model,) = judged(experiment)
    assert model.title == "cifar10 design-1 rank 1 seed 1"
    # Its 920 first images are right, 92 of each class; the 8 others are taken for the next class.
    assert model.text == "As trained, it gets 80 of 1,000 test images wrong."
    assert model.confusion is not None
    assert model.confusion.columns == tuple("abcdefghij")
    first = [text for text, _ in dict(model.confusion.rows)["a"]]
    assert first == ["92", "8", *[""] * 8]
    assert model.classes.rows[0][:4] == ("a", "100", "92", "92.00")
    assert {row[5] for row in model.classes.rows} >= {"b (8)", "a (8)"}


def test_the_worst_class_is_the_first(experiment: Experiment) -> None:
    path = next(path for path in experiment.predictions if "design-1/rank-1/seed-1" in str(path))
    change(experiment.metrics[experiment.predictions.index(path)], test_accuracy_percent=90.0)
    arrays = dict(np.load(path))
    arrays["trained"] = np.where(arrays["label"] == 7, 3, arrays["label"])
    arrays["int8"] = arrays["label"]
    np.savez(path, **arrays)
    (model,) = judged(experiment)
    assert model.classes.rows[0][:4] == ("h", "100", "0", "0.00")
    assert model.classes.rows[0][5] == "d (100)"
    assert model.classes.rows[1][5] == "–"
    assert model.text.endswith("Its int8 model gives another class than it on 100.")


def test_many_classes_have_no_matrix(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_evidence, "MOST_CLASSES", 9)
    (model,) = judged(experiment)
    assert model.confusion is None
    assert len(model.classes.rows) == 10


@pytest.mark.parametrize(("channels", "side", "shown"), [(1, 8, 8), (3, 64, 32), (2, 48, 48)])
def test_pictures_are_small_png_files(
    experiment: Experiment, channels: int, side: int, shown: int
) -> None:
    path = next(path for path in experiment.predictions if "design-1/rank-1/seed-1" in str(path))
    arrays = dict(np.load(path))
    pixels = np.arange(3 * channels * side**2) % 251
    arrays["pictures"] = pixels.astype(np.uint8).reshape(3, channels, side, side)
    np.savez(path, **arrays)
    (model,) = judged(experiment)
    assert [(item.label, item.predicted) for item in model.mistakes] == [
        ("a", "b"), ("b", "c"), ("c", "d"),
    ]  # fmt: skip
    data = base64.b64decode(model.mistakes[0].source.removeprefix("data:image/png;base64,"))
    picture = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    assert picture.shape == (shown, shown, 3)
    step = side // shown
    colours = [0, 1, 2] if channels == 3 else [0, 0, 0]
    assert (picture == arrays["pictures"][0][colours, ::step, ::step].transpose(1, 2, 0)).all()


def test_the_page_shows_them(experiment: Experiment) -> None:
    page = page_of(experiment)
    assert page.count('<img src="data:image/png;base64,') == 3
    assert "<span>a <em>as</em> b</span>" in page
    assert "Test images by class (rows) and predicted class (columns)" in page
    experiment.predictions = []
    without = page_of(experiment)
    assert 'id="images"' not in without
    assert without.count('<svg class="cell"') == len(ARCHIDS)


def test_classes_without_a_name_are_refused(experiment: Experiment) -> None:
    path = experiment.predictions[0]
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "trained": arrays["label"] + 1})
    with pytest.raises(TableError, match="holds classes that deployment"):
        experiment.tables()
