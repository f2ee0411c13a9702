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


#===- Others, whose weights are placed by their names ----------------------===#

_COLUMNS = ("q_proj", "k_proj", "v_proj", "query", "key", "value", "gate_proj",
            "up_proj", "fc1", "q_lin", "k_lin", "v_lin", "lin1", "q_b_proj",
            "kv_b_proj", "intermediate.dense", "dense_h_to_4h")
_ROWS = ("o_proj", "out_proj", "down_proj", "fc2", "out_lin", "lin2",
         "output.dense", "dense_4h_to_h", "attention.dense")
_TABLES = ("embed_tokens", "word_embeddings", "lm_head")


def _guess(model):
    plan = {}
    for name, tensor in model.named_parameters():
        stem, _, part = name.rpartition(".")
        if stem.endswith(_COLUMNS) or stem.endswith(_TABLES):
            plan[f"*{name}"] = Shard(0)
        elif stem.endswith(_ROWS) and part == "weight":
            plan[f"*{name}"] = Shard(1)
    return plan


def _other(model, config, inputs=_tokens, **sizes):
    def make():
        made = getattr(hf, model)(getattr(hf, config)(**sizes))
        return made, _guess(made), inputs
    return make


def _text(name, kind="ForCausalLM", config="Config", inputs=_tokens, **more):
    return _other(name + kind, name + config, inputs,
                  **{**_sizes(pad_token_id=0), **more})


def _experts(name, config="Config", **more):
    return _text(name, config=config, num_experts_per_tok=2,
                 experts_implementation="batched_mm", **more)


def _both(batch, length):
    return dict(**_tokens(batch, length + 3), decoder_input_ids=_tokens(
        batch, length)["input_ids"])


def _picture(batch, length):
    return dict(pixel_values=torch.randn(batch, 3, 32, 32))


def _words_and_picture(batch, length):
    return dict(**_tokens(3, length), **_picture(batch, length))


def _spectrum(batch, length):
    return dict(input_features=torch.randn(batch, 16, 64),
                decoder_input_ids=_tokens(batch, length)["input_ids"])


def _wave(batch, length):
    return dict(input_values=torch.randn(batch, 400 + length * 40))


_GROUPS = dict(num_key_value_heads=2)
_HEADS = dict(_GROUPS, head_dim=8)
_ENCODER_DECODER = dict(
    vocab_size=WORDS, d_model=32, encoder_layers=2, decoder_layers=2,
    encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=44,
    decoder_ffn_dim=44, pad_token_id=0, bos_token_id=1, eos_token_id=2)
_PATCHES = dict(hidden_size=32, intermediate_size=44, num_hidden_layers=2,
                num_attention_heads=4, image_size=32, patch_size=8)
_LABELS = dict(_PATCHES, num_labels=7)

OTHERS = dict(
    mistral=_text("Mistral", sliding_window=6, **_GROUPS),
    qwen2=_text("Qwen2", **_GROUPS),
    gemma=_text("Gemma", **_HEADS),
    gemma2=_text("Gemma2", sliding_window=6, **_HEADS),
    gemma3=_text("Gemma3", config="TextConfig", sliding_window=6, **_HEADS),
    phi=_text("Phi"),
    phi3=_text("Phi3", **_GROUPS),
    olmo2=_text("Olmo2", **_GROUPS),
    granite=_text("Granite", **_GROUPS),
    stablelm=_text("StableLm", **_GROUPS),
    starcoder2=_text("Starcoder2", **_GROUPS),
    cohere=_text("Cohere", **_GROUPS),
    smollm3=_text("SmolLM3", **_GROUPS),
    nemotron=_text("Nemotron", **_GROUPS),
    glm4=_text("Glm4", **_HEADS),
    gpt_neox=_text("GPTNeoX"),
    gptj=_text("GPTJ", n_embd=32, n_layer=2, n_head=4, n_positions=64,
               rotary_dim=4),
    opt=_text("OPT", ffn_dim=44, word_embed_proj_dim=32),
    bloom=_text("Bloom", n_layer=2, n_head=4),
    falcon=_text("Falcon", new_decoder_architecture=True, num_kv_heads=2),
    mpt=_text("Mpt", d_model=32, n_heads=4, n_layers=2, max_seq_len=64),
    llama4=_text("Llama4", config="TextConfig", num_local_experts=4,
                 intermediate_size_mlp=44, attention_chunk_size=8, **_HEADS),
    qwen2_moe=_experts("Qwen2Moe", num_experts=4, moe_intermediate_size=24,
                       shared_expert_intermediate_size=24, **_GROUPS),
    qwen3_moe=_experts("Qwen3Moe", num_experts=4, moe_intermediate_size=24,
                       **_HEADS),
    olmoe=_experts("Olmoe", num_experts=4, **_GROUPS),
    gpt_oss=_experts("GptOss", num_local_experts=4, sliding_window=6,
                     **_HEADS),
    deepseek_v3=_experts(
        "DeepseekV3", num_key_value_heads=4, n_routed_experts=4, n_group=2,
        moe_intermediate_size=24, topk_group=1, first_k_dense_replace=1,
        q_lora_rank=16, kv_lora_rank=16, qk_rope_head_dim=4,
        qk_nope_head_dim=4, v_head_dim=8),
    roberta=_text("Roberta", "ForMaskedLM", max_position_embeddings=66),
    distilbert=_text("DistilBert", "ForMaskedLM", dim=32, n_heads=4,
                     n_layers=2, hidden_dim=44),
    electra=_text("Electra", "ForMaskedLM", embedding_size=16),
    albert=_text("Albert", "ForMaskedLM", embedding_size=16),
    deberta=_text("DebertaV2", "ForMaskedLM"),
    modernbert=_text("ModernBert", "ForMaskedLM", eos_token_id=1,
                     bos_token_id=2, cls_token_id=2, sep_token_id=1,
                     local_attention=6),
    bart=_other("BartForConditionalGeneration", "BartConfig", _both,
                **_ENCODER_DECODER),
    whisper=_other("WhisperForConditionalGeneration", "WhisperConfig",
                   _spectrum, num_mel_bins=16, max_source_positions=32,
                   max_target_positions=64, decoder_start_token_id=1,
                   **_ENCODER_DECODER),
    wav2vec2=_other("Wav2Vec2ForCTC", "Wav2Vec2Config", _wave,
                    vocab_size=WORDS, hidden_size=32, num_hidden_layers=2,
                    num_attention_heads=4, intermediate_size=44,
                    conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3),
                    num_feat_extract_layers=2, num_conv_pos_embeddings=16,
                    num_conv_pos_embedding_groups=4),
    clip=_other("CLIPModel", "CLIPConfig", _words_and_picture,
                text_config=_sizes(pad_token_id=0, bos_token_id=1,
                                   eos_token_id=2),
                vision_config=_PATCHES, projection_dim=16),
    siglip=_other("SiglipVisionModel", "SiglipVisionConfig", _picture,
                  **_PATCHES),
    dinov2=_other("Dinov2ForImageClassification", "Dinov2Config", _picture,
                  **_LABELS),
    deit=_other("DeiTForImageClassification", "DeiTConfig", _picture,
                **_LABELS),
    beit=_other("BeitForImageClassification", "BeitConfig", _picture,
                **_LABELS),
    resnet=_other("ResNetForImageClassification", "ResNetConfig", _picture,
                  embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1],
                  num_labels=7),
    convnext=_other("ConvNextForImageClassification", "ConvNextConfig",
                    _picture, hidden_sizes=[8, 16], depths=[1, 1],
                    num_stages=2, num_labels=7),
    segformer=_other("SegformerForSemanticSegmentation", "SegformerConfig",
                     _picture, num_encoder_blocks=2, depths=[1, 1],
                     sr_ratios=[2, 1], hidden_sizes=[8, 16],
                     patch_sizes=[3, 3], strides=[2, 2],
                     num_attention_heads=[1, 2], mlp_ratios=[2, 2],
                     decoder_hidden_size=16, num_labels=7))

MODELS = dict(llama=llama, qwen3=qwen3, gpt2=gpt2, bert=bert, mixtral=mixtral,
              vit=vit, t5=t5, **OTHERS)


class Logits(torch.nn.Module):
    """Tokens, pictures or sounds in; logits out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, **inputs):
        options = {}
        if "pixel_values" not in inputs and hasattr(self.model.config,
                                                    "use_cache"):
            options["use_cache"] = False
        result = self.model(**inputs, **options)
        return next(getattr(result, name) for name in (
            "logits", "logits_per_image", "last_hidden_state")
            if hasattr(result, name))


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
