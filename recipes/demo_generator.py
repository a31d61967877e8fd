"""Train the tiny generators of ``spectell demo``, with one command.

    python recipes/demo_generator.py

Needs the [torch] extra, and nothing else: the photographs come with scikit-learn and matplotlib and have a free
licence. Each of the three networks learns two things at once from 64 x 64 patches of the photographs: to rebuild a
patch from what an encoder kept of it (a variational autoencoder, which teaches it colours and edges quickly), and to
make from pure noise what a small discriminator cannot tell from a patch (a GAN with the hinge loss). Encoder and
discriminator are thrown away. It takes about nine minutes of one core that has nothing else to do. The same seed,
versions and number of threads give the same weights.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from spectell.generators.tiny import LATENT_CHANNELS, SCALE, SLOW_CHANNELS, UPSAMPLINGS, draw_latents
from spectell.generators.tiny_network import TinyNetwork
from spectell.workflows.photographs import PHOTOGRAPHS, read_photographs

OUTPUT = Path(__file__).resolve().parents[1] / "src" / "spectell" / "weights" / "demo_generator.safetensors"
PATCH = 64
BATCH = 8
ERROR_WEIGHT = 10.0
DIVERGENCE_WEIGHT = 0.3
MARGIN = 1
"""Cells of the latent grid cut off at each border while training, so that the networks cannot lean on its zeros."""


def main() -> None:
    """Train the networks one after another and write them, with their card, to one file."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    found = read_photographs()
    photographs = shrink(found)
    arrays: dict[str, torch.Tensor] = {}
    for index, upsampling in enumerate(UPSAMPLINGS):
        network = train(upsampling, photographs, arguments.steps, seed=arguments.seed + index)
        arrays |= {f"{upsampling}.{name}": value.half() for name, value in network.state_dict().items()}
    card = {
        "name": "tiny generators of spectell demo",
        "licence": "MIT",
        "trained_on": [f"{one.name}: {one.credit}, {one.address}" for one in PHOTOGRAPHS if one.name in found],
        "recipe": f"recipes/demo_generator.py --steps {arguments.steps} --seed {arguments.seed}",
        "seed": arguments.seed,
        "torch": torch.__version__,
        "purpose": "to show the trace of up-sampling; the images imitate textures of three photographs",
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, arguments.output, metadata={"card": json.dumps(card)})
    print(f"wrote {arguments.output} ({arguments.output.stat().st_size / 1e3:.0f} kB)")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="the file to write [%(default)s]")
    parser.add_argument("--steps", type=int, default=1500, help="updates of each network [%(default)s]")
    parser.add_argument("--seed", type=int, default=20200611, help="of all random choices [%(default)s]")
    return parser.parse_args()


def shrink(photographs: dict[str, npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.uint8]]:
    """Return each photograph at a half and a third of its size, so that no grid of JPEG blocks is left to learn."""
    images = [Image.fromarray(pixels) for pixels in photographs.values()]
    sizes = [(image, (image.width // divisor, image.height // divisor)) for image in images for divisor in (2, 3)]
    return [np.asarray(image.resize(size, Image.Resampling.LANCZOS)) for image, size in sizes]


def train(upsampling: str, photographs: list[npt.NDArray[np.uint8]], steps: int, *, seed: int) -> TinyNetwork:
    """Train one network; return the running average of its weights, which makes steadier images than the last ones."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    generator, average = TinyNetwork(upsampling), TinyNetwork(upsampling)
    encoder, discriminator = build_encoder(), build_discriminator()
    making = torch.optim.Adam([*generator.parameters(), *encoder.parameters()], lr=1e-3, betas=(0.5, 0.99))
    judging = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.0, 0.99))
    start = time.monotonic()
    for step in range(1, steps + 1):
        real, generated = draw_patches(rng, photographs), make_patches(generator, rng)
        verdicts = discriminator(real), discriminator(generated.detach())
        update(judging, functional.relu(1 - verdicts[0]).mean() + functional.relu(1 + verdicts[1]).mean())

        latents, divergence = encode(encoder, real)
        # The outermost pixels are left out: they depend on latents beyond the patch.
        error = (generator(latents) - real)[:, :, 4:-4, 4:-4].abs().mean()
        deceived = discriminator(generated).mean()
        update(making, ERROR_WEIGHT * error + DIVERGENCE_WEIGHT * divergence - deceived)
        with torch.no_grad():
            for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
                kept.lerp_(new, max(0.005, 1 / step))
        if step % 250 == 0:
            seconds = time.monotonic() - start
            print(f"{upsampling} {step}/{steps}: error of rebuilding {error.item():.3f}, {seconds:.0f} s", flush=True)
    return average


def update(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Take one step downhill."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def build_encoder() -> nn.Sequential:
    """Three strided convolutions to the mean and the log variance of each latent value."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((3, 24, 40, 64)):
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(64, 2 * LATENT_CHANNELS, 3, padding=1))


def encode(encoder: nn.Module, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw latents for patches; return them and how far their distribution is from standard normal, in nats a value.

    The slow channels have one value a patch, since in `draw_latents` they hardly change over so short a distance.
    """
    encoded = encoder(patches)
    fast, slow = encoded.unflatten(1, (2, LATENT_CHANNELS)).split([LATENT_CHANNELS - SLOW_CHANNELS, SLOW_CHANNELS], 2)
    slow = slow.mean(dim=(3, 4), keepdim=True)
    drawn, divergences = [], []
    for part in (fast, slow):
        mean, log_variance = part[:, 0], part[:, 1].clamp(-8, 3)
        noise = torch.randn_like(mean) * (log_variance / 2).exp()
        drawn.append((mean + noise).expand(*mean.shape[:2], *encoded.shape[2:]))
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        divergences.append(divergence.mean(dim=(0, 2, 3)))
    return torch.cat(drawn, dim=1), torch.cat(divergences).mean()


def build_discriminator() -> nn.Sequential:
    """Three strided convolutions and a verdict for each of 8 x 8 overlapping regions of a patch."""
    widths = (3, 32, 64, 96)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
        layers += [nn.utils.parametrizations.spectral_norm(convolution), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.utils.parametrizations.spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))


def draw_patches(rng: np.random.Generator, photographs: list[npt.NDArray[np.uint8]]) -> torch.Tensor:
    """Cut a batch (N, 3, 64, 64) on the scale of [-1, 1] from random places, half of it mirrored."""
    patches = []
    for _ in range(BATCH):
        photograph = photographs[rng.integers(len(photographs))]
        row, column = (int(rng.integers(size - PATCH + 1)) for size in photograph.shape[:2])
        patch = photograph[row : row + PATCH, column : column + PATCH]
        patches.append(patch[:, ::-1] if rng.random() < 0.5 else patch)
    batch = np.stack(patches).astype(np.float32) / 127.5 - 1.0
    return torch.from_numpy(batch).permute(0, 3, 1, 2)


def make_patches(generator: TinyNetwork, rng: np.random.Generator) -> torch.Tensor:
    """Make a batch of the same kind from noise."""
    cells = PATCH // SCALE + 2 * MARGIN
    latents = np.stack([draw_latents(rng, cells, cells) for _ in range(BATCH)])
    made: torch.Tensor = generator(torch.from_numpy(latents))
    edge = MARGIN * SCALE
    return made[:, :, edge:-edge, edge:-edge]


if __name__ == "__main__":
    main()
