"""Models of the `transformers` library, small, with random weights, and where
their weights lie on a mesh of one axis "tp" or of two, "dp" and "tp"."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import torch
import transformers as hf
from torch.distributed.tensor import Replicate, Shard

WORDS = 67


def columns(*names, bias=False):
    """Rows of the weight are outputs: a rank has some of the outputs."""
    parts = ("weight", "bias") if bias else ("weight",)
    return {f"*{n}.{p}": Shard(0) for n in names for p in parts}


def rows(*names):
    return {f"*{n}.weight": Shard(1) for n in names}


ATTENTION = {**columns("q_proj", "k_proj", "v_proj"), **rows("o_proj")}
GATED = {**columns("gate_proj", "up_proj"), **rows("down_proj")}
DECODER = {**ATTENTION, **GATED, "*embed_tokens.weight": Shard(0),
           "*lm_head.weight": Shard(0)}


def _sizes(**more):
    return dict(vocab_size=WORDS, hidden_size=32, intermediate_size=44,
                num_hidden_layers=2, num_attention_heads=4,
                max_position_embeddings=64, **more)


def _tokens(batch, length):
    return dict(input_ids=torch.randint(0, WORDS, (batch, length)))


def llama():
    return hf.LlamaForCausalLM(hf.LlamaConfig(
        **_sizes(num_key_value_heads=2))), DECODER, _tokens


def qwen3():
    return hf.Qwen3ForCausalLM(hf.Qwen3Config(
        **_sizes(num_key_value_heads=2, head_dim=8))), DECODER, _tokens


def gpt2():
    # Its layers have the transposes of weights, query, key and value in one.
    return hf.GPT2LMHeadModel(hf.GPT2Config(
        vocab_size=WORDS, n_positions=64, n_embd=32, n_layer=2, n_head=4)), {
            "*c_attn.weight": Shard(0), "*c_fc.weight": Shard(1),
            "*c_fc.bias": Shard(0), "*mlp.c_proj.weight": Shard(0),
            "*attn.c_proj.weight": Shard(1)}, _tokens


def bert():
    return hf.BertForMaskedLM(hf.BertConfig(**_sizes())), {
        **columns("query", "key", "value", "intermediate.dense",
                  bias=True),
        **rows("output.dense"), "*word_embeddings.weight": Shard(0)}, _tokens


def mixtral():
    return hf.MixtralForCausalLM(hf.MixtralConfig(
        **_sizes(num_key_value_heads=2, num_local_experts=4,
                 num_experts_per_tok=2),
        experts_implementation="batched_mm")), {
        **ATTENTION, "*experts.gate_up_proj": Shard(0),
        "*experts.down_proj": Shard(0), "*embed_tokens.weight": Shard(1),
        "*lm_head.weight": Shard(0)}, _tokens


def vit():
    def inputs(batch, length):
        return dict(pixel_values=torch.randn(batch, 3, 16, 16))
    return hf.ViTForImageClassification(hf.ViTConfig(
        hidden_size=32, intermediate_size=44, num_hidden_layers=2,
        num_attention_heads=4, image_size=16, patch_size=4, num_labels=7)), {
            **columns("q_proj", "k_proj", "v_proj", "fc1", bias=True),
            **rows("o_proj", "fc2")}, inputs


def t5():
    def inputs(batch, length):
        return dict(**_tokens(batch, length + 3), decoder_input_ids=_tokens(
            batch, length)["input_ids"])
    return hf.T5ForConditionalGeneration(hf.T5Config(
        vocab_size=WORDS, d_model=32, d_kv=8, d_ff=44, num_layers=2,
        num_heads=4)), {**columns("q", "k", "v", "wi"), **rows("o", "wo"),
                        "*shared.weight": Shard(0)}, inputs


MODELS = dict(llama=llama, qwen3=qwen3, gpt2=gpt2, bert=bert, mixtral=mixtral,
              vit=vit, t5=t5)


class Logits(torch.nn.Module):
    """Tokens, or pictures, in; logits out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **inputs):
        options = {} if "pixel_values" in inputs else {"use_cache": False} \
            if not isinstance(self.model, hf.BertForMaskedLM) else {}
        return self.model(**inputs, **options).logits


def placements(plan, inputs, axes):
    """On two axes weights lie along the last, arguments and logits along the
    first."""
    front = [Replicate()] * (axes - 1)
    batch = [Shard(0) if axes > 1 else Replicate()] + front
    return {**{k: front + [v] for k, v in plan.items()},
            **{n: batch for n in (*inputs(1, 1), "results")}}


def make(name, seed=0):
    """(model, plan, function that makes arguments)"""
    torch.manual_seed(seed)
    model, plan, inputs = MODELS[name]()
    model.eval()
    return Logits(model), plan, inputs
