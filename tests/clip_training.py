"""A batch of images with texts, its gradient, and one of several processes that share it."""

import torch

import imrep

_TEXTS = ["a cat", "two dogs run", "a red apple on a tree", "the sea", "a bus", "b", "a cow", "fog"]


def batch(clip, count=8):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(count, 3, 32, 32, generator=generator)
    return {"image": image, "text": clip.tokenizer.ids(_TEXTS[:count], "test")}


def gradients(clip, of):
    clip.train()
    loss = clip.loss(of)
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in clip.named_parameters()}


def process(rank, world, objective, address, results):
    """One of several processes, with its rows of the batch."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
    clip = imrep.get(f"clip:arch=tiny,weights=random,part=2,objective={objective}")
    rows = {name: value.chunk(world)[rank] for name, value in batch(clip).items()}
    loss, own = gradients(clip, rows)
    mean = torch.tensor(loss)
    torch.distributed.all_reduce(mean)
    for gradient in own.values():  # as DistributedDataParallel does
        torch.distributed.all_reduce(gradient)
    if rank == 0:
        numbers = {name: (g / world).numpy() for name, g in own.items()}
        results.put((mean.item() / world, numbers))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
