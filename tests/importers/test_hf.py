"""Configuration files of Hugging Face: params and multiplies as published, and nothing is fetched."""

import json
import socket

import pytest
from support import needed
from support.sizes import size

torch = needed.module("torch", "torch")
transformers = needed.module("transformers", "hf")

import costcalc  # noqa: E402
from costcalc.errors import CostcalcError, ImportRefused, MissingExtra, UnknownName  # noqa: E402

LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float16", "use_cache": True}
SMALL = {**LLAMA, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 100}  # fmt: skip


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def loaded(tmp_path):
    def load(config, settings=""):
        path = tmp_path / "config.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
        return costcalc.load(f"hf:{path}{settings}")

    return load


def llama_macs(tokens, *, width=64, inner=96, layers=2, heads=4, shared=2, words=100):
    """Derived by hand: projections, the gated layers, both products of attention in full, and the head."""
    kept = width * shared // heads
    of_layer = width * (2 * width + 2 * kept + 3 * inner) + 2 * tokens * width
    return tokens * (layers * of_layer + width * words)


@pytest.mark.parametrize("tokens", [8, 128])
def test_a_decoder_counts_as_derived(loaded, tokens):
    cost = loaded(SMALL, f"@tokens={tokens}").cost()
    assert cost.total("macs") == llama_macs(tokens)
    assert loaded(SMALL, f"@tokens={tokens},batch=3").cost().total("macs") == 3 * llama_macs(tokens)
    assert cost.warnings == ()


GPT2 = {  # width, layers, heads: params, with a head that is the table of words
    "gpt2": ((768, 12, 12), 124_439_808),
    "gpt2-medium": ((1024, 24, 16), 354_823_168),
    "gpt2-large": ((1280, 36, 20), 774_030_080),
    "gpt2-xl": ((1600, 48, 25), 1_557_611_200),
}


@pytest.mark.sized
@pytest.mark.parametrize("name", size(["gpt2"], GPT2))
def test_gpt2_is_exact(loaded, name):
    (width, layers, heads), params = GPT2[name]
    sizes = {"n_embd": width, "n_layer": layers, "n_head": heads}
    cost = loaded({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", **sizes}, "@tokens=1024").cost()
    # projections and two layers of four widths; both products of attention in full; the head
    parts = 1024 * layers * 12 * width**2, layers * 2 * 1024**2 * width, 1024 * width * 50_257
    assert (cost.total("params"), cost.total("macs")) == (params, sum(parts))
    assert parts == (86_973_087_744, 19_327_352_832, 39_523_713_024) or name != "gpt2"


SIZES = {  # width, inner, layers, heads, key-value heads, words: params
    "llama-2-7b": ((4096, 11008, 32, 32, 32, 32000), 6_738_415_616),
    "llama-2-13b": ((5120, 13824, 40, 40, 40, 32000), 13_015_864_320),
    "llama-2-70b": ((8192, 28672, 80, 64, 8, 32000), 68_976_648_192),
    "llama-3-8b": ((4096, 14336, 32, 32, 8, 128256), 8_030_261_248),
    "llama-3-70b": ((8192, 28672, 80, 64, 8, 128256), 70_553_706_496),
    "llama-3.1-405b": ((16384, 53248, 126, 128, 8, 128256), 405_853_388_800),
    "llama-3.2-1b": ((2048, 8192, 16, 32, 8, 128256), 1_235_814_400),
    "mistral-7b": ((4096, 14336, 32, 32, 8, 32000), 7_241_732_096),
}


@pytest.mark.sized
@pytest.mark.parametrize("name", size(["llama-3.2-1b"], SIZES))
def test_published_params(loaded, name):
    given, params = SIZES[name]
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    config = {**LLAMA, **dict(zip((*names, "vocab_size"), given)), "tie_word_embeddings": name == "llama-3.2-1b"}
    if name == "mistral-7b":
        config |= {"model_type": "mistral", "architectures": ["MistralForCausalLM"]}
    width, inner, layers, heads, shared, words = given
    for tokens in (128, 2048) if name == "llama-2-7b" else (128,):
        cost = loaded(config, f"@tokens={tokens}").cost()
        macs = llama_macs(tokens, width=width, inner=inner, layers=layers, heads=heads, shared=shared, words=words)
        assert (cost.total("params"), cost.total("macs")) == (params, macs)
        assert macs == {128: 850_000_871_424, 2048: 14_630_806_093_824}[tokens] or name != "llama-2-7b"


def test_a_trillion_params_are_counted_and_not_allocated(loaded):
    sizes = {"hidden_size": 1 << 17, "intermediate_size": 1 << 20, "num_attention_heads": 1024, "num_hidden_layers": 2}
    config = {**LLAMA, **sizes, "vocab_size": 10_000_000}
    width, inner = sizes["hidden_size"], sizes["intermediate_size"]
    params = 2 * (4 * width**2 + 3 * width * inner + 2 * width) + width + 2 * width * config["vocab_size"]
    assert loaded(config, "@tokens=8").cost().total("params") == params > 10**12


OTHERS = {
    "bert": {"num_hidden_layers": 1}, "t5": {"num_layers": 1}, "vit": {"num_hidden_layers": 1},
    "gpt_neox": {"num_hidden_layers": 1}, "qwen3": {"num_hidden_layers": 1}, "whisper": {"encoder_layers": 1},
}  # fmt: skip


@pytest.mark.sized
@pytest.mark.parametrize("kind", size(["bert", "t5"], OTHERS))
def test_other_kinds_have_params_as_torch_counts_them(loaded, kind):
    """The import itself compares params with the module's."""
    assert loaded({"model_type": kind, **OTHERS[kind]}).cost().total("macs") > 0


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({**SMALL, "auto_map": {"AutoModel": "a.B"}}, ImportRefused, "names code to run; costcalc runs none"),
        ({**SMALL, "text_config": {"auto_map": {}}}, ImportRefused, "has auto_map"),
        ({"hidden_size": 8}, ImportRefused, "names no architecture: it has neither model_type nor architectures"),
        ({"model_type": "lama"}, UnknownName, "did you mean 'llama'?"),
        ({**SMALL, "architectures": ["pipeline"]}, ImportRefused, "has no architecture 'pipeline'"),
        ({**SMALL, "hidden_size": -3}, ImportRefused, "no model can be built"),
        ({**SMALL, "num_hidden_layers": 10**9}, ImportRefused, "num_hidden_layers = 1,000,000,000 is more than 10,000"),
        ("[1]", ImportRefused, "it must be an object with fields"),
        ("{", ImportRefused, "is no JSON"),
        ("[" * 100_000, ImportRefused, "is no JSON"),
    ],
)
def test_what_is_no_configuration_is_refused(loaded, config, error, message):
    with pytest.raises(error) as caught:
        loaded(config)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_of_the_hub_is_refused(tmp_path):
    with pytest.raises(ImportRefused, match="gpt2: no such file; costcalc downloads nothing"):
        costcalc.load("hf:gpt2")
    with pytest.raises(ImportRefused, match="is a folder; give its file"):
        costcalc.load(f"hf:{tmp_path}")


def test_the_process_stays_as_it_was(loaded, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    before = constants.HF_HUB_OFFLINE
    loaded(SMALL)
    import os

    assert "HF_HUB_OFFLINE" not in os.environ
    assert before == constants.HF_HUB_OFFLINE


def test_a_missing_package_names_the_extra(loaded, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"costcalc\[hf\]"):
        loaded(SMALL)
    assert issubclass(MissingExtra, CostcalcError)
