import numpy as np
import pytest

from spectell.errors import ParameterError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators.losses import LOSSES, make_loss  # noqa: E402
from spectell.generators.losses.interface import gradient_penalty  # noqa: E402

N = 6


def identity(outputs):
    """A critic that is handed its outputs instead of images."""
    return outputs


@pytest.fixture
def outputs(rng):
    def draw(columns):
        return [rng.normal(centre, 1.5, (N, columns)) for centre in (0.7, -0.4)]

    return draw


def as_tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(axis=1))


def test_hinge_loss_by_its_formula(outputs):
    real, fake = outputs(1)
    loss = make_loss("sngan")
    expected = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert loss.critic_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(expected)
    assert loss.generator_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(-fake.mean())


@pytest.mark.parametrize(("progressive", "drift"), [(False, 0.0), (True, 1e-3)])
def test_wasserstein_loss_by_its_formula(outputs, progressive, drift):
    real, fake = outputs(1)
    loss = make_loss("wgan-gp", progressive=progressive)
    expected = fake.mean() - real.mean() + drift * (real**2).mean()
    assert loss.critic_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(expected)
    assert loss.generator_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(-fake.mean())


def test_cramer_loss_by_its_formula(outputs):
    real, fake = outputs(5)
    other = fake[[N - 1, *range(N - 1)]]
    zero = np.zeros_like(real)

    def f(x):
        return distance(x, other) - distance(x, zero)

    loss = make_loss("cramer")
    critic = f(fake).mean() - f(real).mean()
    generator = (distance(real, fake) + distance(real, other) - distance(fake, other)).mean()
    assert loss.critic_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(critic, abs=1e-5)
    assert loss.generator_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(generator, abs=1e-5)


def test_repulsive_loss_by_its_formula(outputs):
    real, fake = outputs(3)

    def mean_kernel(a, b, low=0.0, high=np.inf):
        pairs = [(i, j) for i in range(N) for j in range(N) if i != j or a is not b]
        squared = [np.clip(((a[i] - b[j]) ** 2).sum(), low, high) for i, j in pairs]
        return np.exp(-np.array(squared) / 2).mean()

    loss = make_loss("mmd")
    critic = mean_kernel(real, real, high=4.0) - mean_kernel(fake, fake, low=0.25)
    generator = mean_kernel(fake, fake) - 2 * mean_kernel(real, fake)
    assert loss.critic_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(critic)
    assert loss.generator_loss(identity, *as_tensors(real, fake)).item() == pytest.approx(generator)


def test_the_gradient_penalty_of_a_linear_critic_has_a_closed_form(rng):
    weights = rng.standard_normal((3, 4, 4))
    real, fake, mix = as_tensors(rng.random((N, 3, 4, 4)), rng.random((N, 3, 4, 4)), rng.random((N, 1, 1, 1)))
    vector = torch.from_numpy(weights).requires_grad_()
    penalty = gradient_penalty(lambda images: (images * vector).sum(dim=(1, 2, 3)), real, fake, mix)
    length = np.sqrt((weights**2).sum())
    assert penalty.item() == pytest.approx((length - 1) ** 2)
    torch.autograd.backward(penalty)
    np.testing.assert_allclose(vector.grad.numpy(), 2 * (length - 1) * weights / length)


@pytest.mark.parametrize("name", ["wgan-gp", "cramer"])
def test_the_penalty_counts_ten_times(rng, name):
    """On a critic whose outputs are three times the pixels' first values."""
    real, fake, mix = as_tensors(rng.random((N, 3, 4, 4)), rng.random((N, 3, 4, 4)), rng.random((N, 1, 1, 1)))

    def critic(images):
        return 3 * images[:, :1, 0, 0]

    loss = make_loss(name)
    added = loss.critic_loss(critic, real, fake, mix) - loss.critic_loss(critic, real, fake)
    if name == "wgan-gp":
        assert added.item() == pytest.approx(10 * (3 - 1) ** 2)
        return
    between = (mix * real + (1 - mix) * fake)[:, 0, 0, 0].numpy() * 3
    other = 3 * fake.roll(1, 0)[:, 0, 0, 0].numpy()
    slopes = 3 * np.abs(np.sign(between - other) - np.sign(between))
    assert added.item() == pytest.approx(10 * ((slopes - 1) ** 2).mean(), rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_down_the_generators_loss_brings_the_images_nearer(outputs, name):
    """The gradient moves generated outputs toward the real ones, with critics that prefer large outputs."""
    real = torch.full((N, LOSSES[name].outputs), 1.0) + torch.arange(N).unsqueeze(1) * 0.01
    fake = (torch.zeros(N, LOSSES[name].outputs) + torch.arange(N).unsqueeze(1) * 0.01).requires_grad_()
    torch.autograd.backward(make_loss(name).generator_loss(identity, real, fake))
    assert fake.grad.mean() < 0


def test_an_unknown_loss_is_refused():
    with pytest.raises(ParameterError, match="unknown loss 'lsgan'; choose one of sngan, wgan-gp, cramer, mmd"):
        make_loss("lsgan")
