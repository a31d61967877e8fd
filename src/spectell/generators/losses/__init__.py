"""What generator and critic try to minimise: one module for each published loss, behind one interface.

Importing this package imports torch.
"""

from spectell.generators.losses.cramer import CramerLoss
from spectell.generators.losses.interface import LossFunction, Settings
from spectell.generators.losses.mmd import RepulsiveMMDLoss
from spectell.generators.losses.sngan import SNGANLoss
from spectell.generators.losses.wgan_gp import ProGANLoss, WGANGPLoss

__all__ = [
    "LOSSES",
    "CramerLoss",
    "LossFunction",
    "ProGANLoss",
    "RepulsiveMMDLoss",
    "SNGANLoss",
    "Settings",
    "WGANGPLoss",
    "make_loss",
]

from spectell.errors import ParameterError

LOSSES: dict[str, type[LossFunction]] = {
    "sngan": SNGANLoss,
    "wgan-gp": WGANGPLoss,
    "cramer": CramerLoss,
    "mmd": RepulsiveMMDLoss,
}
"""Name → loss."""


def make_loss(name: str, *, progressive: bool = False) -> LossFunction:
    """Make the loss called `name`.

    Parameters
    ----------
    name : {"sngan", "wgan-gp", "cramer", "mmd"}
    progressive : bool
        Whether the networks grow. Growing was published with its own settings of the Wasserstein loss, and those are
        used then; the other losses stay as they are.

    Returns
    -------
    loss : LossFunction

    Raises
    ------
    ParameterError
        If the name is unknown.

    Examples
    --------
    >>> make_loss("wgan-gp").settings.critic_steps, make_loss("wgan-gp", progressive=True).settings.critic_steps
    (5, 1)
    """
    if name not in LOSSES:
        raise ParameterError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}")
    return ProGANLoss() if progressive and name == "wgan-gp" else LOSSES[name]()
