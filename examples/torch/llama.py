"""A Llama on several devices, from nothing to logits and a gradient:

    pip install torch transformers   # PyTorch 2.11 or newer
    pip install ./python             # in a checkout that is built, or in an
                                     # unpacked archive
    torchrun --nproc-per-node 2 examples/torch/llama.py

The model is the one of the library, written for one device. What is added is
where its weights lie. Where there are GPUs each process takes one.
"""

import os

os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard
from transformers import LlamaConfig, LlamaForCausalLM

import dtensor_mlir

# Every device has some of the heads and of the hidden features: of these
# layers it keeps rows of the weight, of the next ones columns.
PLACEMENTS = {**{f"*.{name}_proj.weight": [Shard(0)]
                 for name in ("q", "k", "v", "gate", "up")},
              **{f"*.{name}_proj.weight": [Shard(1)] for name in ("o", "down")},
              "*embed_tokens.weight": [Shard(0)]}


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    mesh = init_device_mesh(device, (dist.get_world_size(),),
                            mesh_dim_names=("tp",))
    torch.manual_seed(0)  # the same weights on every rank
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=1000, hidden_size=64, intermediate_size=176,
        num_hidden_layers=2, num_attention_heads=8, num_key_value_heads=4,
        use_cache=False)).to(device)
    run = dtensor_mlir.compile(model, mesh, PLACEMENTS)  # weights are cut here

    for length in (7, 100, 33):  # one program for every length
        tokens = (torch.arange(2 * length).reshape(2, length) % 1000).to(device)
        result = run(tokens, labels=tokens)
        result.loss.backward()  # gradients lie where their weights do
        if dist.get_rank() == 0:
            print(f"{length} tokens: logits {tuple(result.logits.shape)}, "
                  f"loss {result.loss.item():.3f}")
    weight = model.get_parameter("model.layers.0.self_attn.q_proj.weight")
    if dist.get_rank() == 0:
        print(f"a gradient: {weight.grad.placements}, of this rank "
              f"{tuple(weight.grad.to_local().shape)}")
    dist.destroy_process_group()


main()
