# REQUIRES: python
# RUN: %python %s %obj %t
"""Twenty steps of AdamW on a small Llama, its weights cut for tensor
parallelism and once more for data parallelism, give the losses of one process;
lengths vary, and forward and backward are compiled once."""

import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "Inputs"))
from ranks import *
import zoo
from steps import cut_once_more

STEPS = 20


class Loss(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids, labels=input_ids,
                          use_cache=False).loss


def losses_of(call, parameters, batches):
    optimizer = torch.optim.AdamW(parameters, lr=1e-2, weight_decay=0.1)
    losses = []
    for batch in batches:
        loss = call(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.full_tensor() if isinstance(loss, DTensor)
                      else loss.detach())
    return torch.stack(losses).detach()


def test_a_llama_on_a_mesh_2d(mesh):
    logits, plan, inputs = zoo.make("llama")
    plain = Loss(logits.model)
    module = copy.deepcopy(plain)
    rows = [Shard(0), Replicate()]
    # Counting from anywhere can be learned.
    generator = torch.Generator().manual_seed(1)
    starts = torch.randint(0, zoo.WORDS, (STEPS, 4, 1), generator=generator)
    batches = [(start + torch.arange(6 + i % 7)) % zoo.WORDS
               for i, start in enumerate(starts)]
    call = dtensor_mlir.compile(module, mesh, {
        **cut_once_more(plan), "input_ids": rows})
    with Count() as count:
        actual = losses_of(
            lambda b: call(distribute_tensor(b, mesh, rows)),
            module.parameters(), batches)
    expected = losses_of(plain, plain.parameters(), batches)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert expected[-1] < expected[0] - 0.1
    assert count.value == 2, count.value
    for parameter in module.parameters():
        assert parameter.placements[0] == Shard(0)


main()
