"""Several processes as one: each takes some rows of a batch, and all make the same step.

Start with ``torchrun --nproc-per-node N -m -- csn.cli train …``; without ``--`` torchrun takes
``--start`` for an option of its own. Every process draws the same batch, embeds its own rows, and
then holds the embeddings of all, so that the loss is that of one process.
"""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather, all_reduce
from torch.nn.parallel import DistributedDataParallel

from csn.errors import StemwiseError


@dataclass(frozen=True)
class World:
    """The processes of one run.

    Attributes:
        rank: of this process.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def rows(self, mixes: int) -> slice:
        """This process's share of a batch.

        Raises:
            StemwiseError: the batch cannot be shared out evenly.
        """
        if mixes % self.size:
            raise StemwiseError(
                f"{mixes} mixes cannot be shared by {self.size} processes; choose a --batch that "
                "can."
            )
        share = mixes // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def gather(self, part: Tensor) -> Tensor:
        """The rows of all processes in order; gradients find their way back."""
        return part if self.size == 1 else torch.cat(all_gather(part))

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether a process says yes, so that all stop after the same step."""
        if self.size == 1:
            return flag
        told = torch.tensor(float(flag), device=device)
        dist.all_reduce(told, dist.ReduceOp.MAX)
        return bool(told)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            dist.barrier()

    def share(self, network: nn.Module) -> nn.Module:
        """A network whose gradients are averaged and whose batch norms see the whole batch."""
        if self.size == 1:
            return network
        _share_norms(network)
        return DistributedDataParallel(network)


def join() -> World:
    """Join the processes that ``torchrun`` started; a world of one without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size > 1 and not dist.is_initialized():
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if cuda else "gloo")
    return World(dist.get_rank(), size) if size > 1 else World()


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the rows of all processes; torch's own needs a GPU for it."""

    def forward(self, maps: Tensor) -> Tensor:
        """[batch, channels, height, width] to the same."""
        if not self.training:
            return super().forward(maps)
        values = maps.float()
        count = values.numel() // values.shape[1] * dist.get_world_size()
        mean = all_reduce(values.sum((0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = all_reduce(centred.square().sum((0, 2, 3))) / count
        assert self.running_mean is not None and self.running_var is not None
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum or 0.1)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.1)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        scale = self.weight * (variance + self.eps).rsqrt()
        answer = centred * scale[:, None, None] + self.bias[:, None, None]
        return answer.to(maps.dtype)


def _share_norms(network: nn.Module) -> None:
    """Let every batch norm of a network see the rows of all processes, in place."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm
