"""Settings of step 4, train_final."""

from pydantic import Field

from spikernel.config.base import Seeds, StrictModel
from spikernel.config.training import TrainingConfig


class FinalConfig(StrictModel):
    """Step 4: training of the best candidates of every search."""

    ranks: int = Field(default=1, ge=1)
    """How many of the best candidates of each kernel set are trained."""
    seeds: Seeds = (0,)
    """Seeds of each model's weights and batches."""
    training: TrainingConfig = TrainingConfig()
    """How the models are trained."""
