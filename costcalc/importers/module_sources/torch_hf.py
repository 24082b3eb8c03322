"""Models of Hugging Face's transformers, from a configuration file: built without weights, and nothing is downloaded.

A configuration is data: one that names code to run is refused, and what would fetch something is left out of it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn

from costcalc.errors import ImportRefused, MissingExtra, UnknownName, did_you_mean, in_one_line
from costcalc.importers.module_sources.torch_zoo import Make, without_memory

Inputs = tuple[tuple[Any, ...], dict[str, Any]]  # by position, and by name
MAX_BYTES = 10_000_000  # of a configuration
MAX_LAYERS = 10_000  # each is a module
TOKENS = 128  # unless the reader says how many
LEFT_OUT = {  # choices of kernels and of number formats, which change no count, and weights to fetch
    "attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation", "dtype",
    "torch_dtype", "quantization_config", "use_pretrained_backbone", "backbone_kwargs", "use_kernels",
}  # fmt: skip


def hf_model(text: str, make: Make = without_memory) -> tuple[nn.Module, Inputs | None]:
    """The model of a configuration file, and its inputs if they are tokens or images.

    Raises MissingExtra without transformers, UnknownName for a kind of model that it has not, ImportRefused for a text
    that is no file, and for a configuration that names no architecture, or code.
    """
    given = _read(Path(text))
    try:
        import transformers
    except ImportError as error:
        raise MissingExtra("transformers is not installed", "hf") from error
    with _offline():
        try:
            model = _built(transformers, _without(given), text, make)
        except (ImportRefused, UnknownName):
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {in_one_line(error)}"
            raise ImportRefused(f"{text}: no model can be built: {said}") from error
    return model, _inputs_of(model)


def _read(path: Path) -> dict[str, Any]:
    """The fields of a configuration file."""
    if path.is_dir():
        raise ImportRefused(f"{path} is a folder; give its file, as in hf:{path / 'config.json'}")
    if not path.is_file():
        raise ImportRefused(f"{path}: no such file; costcalc downloads nothing: give a model's config.json")
    if path.stat().st_size > MAX_BYTES:
        raise ImportRefused(f"{path} has more than {MAX_BYTES:,} bytes, and is no configuration")
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ImportRefused(f"{path} is no JSON: {in_one_line(error, 200)}") from None
    if not isinstance(given, dict):
        raise ImportRefused(f"{path} is no configuration: it must be an object with fields, as a model's config.json")
    for name, value in _fields(given):
        if name == "auto_map":
            raise ImportRefused(f"{path} has auto_map, which names code to run; costcalc runs none that a file names")
        if "layers" in name and isinstance(value, int) and value > MAX_LAYERS:
            raise ImportRefused(f"{path}: {name} = {value:,} is more than {MAX_LAYERS:,}")
    if not given.get("model_type") and not given.get("architectures"):
        raise ImportRefused(f"{path} names no architecture: it has neither model_type nor architectures")
    return given


def _fields(given: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a configuration, and of those in it."""
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    yield from given.items() if isinstance(given, dict) else ()
    for part in parts:
        yield from _fields(part)


def _without(given: Any) -> Any:
    """A configuration without the fields that are left out."""
    if isinstance(given, dict):
        return {name: _without(value) for name, value in given.items() if name not in LEFT_OUT}
    return [_without(value) for value in given] if isinstance(given, list) else given


def _built(transformers: Any, given: dict[str, Any], path: str, make: Make) -> nn.Module:
    """The model of the architecture that a configuration names; else the causal language model of its kind, else what
    it has."""
    from transformers.models.auto import modeling_auto

    named = given.get("architectures") or [""]
    named = named if isinstance(named, list) else [named]
    cls: Any = _class(transformers, named[0])
    kind = given.get("model_type") or getattr(getattr(cls, "config_class", None), "model_type", "")
    if kind not in transformers.CONFIG_MAPPING:
        near = did_you_mean(str(kind), [*transformers.CONFIG_MAPPING.keys()], listed=False)
        raise UnknownName(f"{path}: transformers {transformers.__version__} has no model_type {str(kind)[:64]!r}", near)
    config = transformers.CONFIG_MAPPING[kind].from_dict(given)
    for part in (config, *(getattr(config, name, None) for name in config.sub_configs)):
        if getattr(part, "use_cache", False):
            part.use_cache = False
    if cls is None and not named[0]:
        names = {**modeling_auto.MODEL_MAPPING_NAMES, **modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES}
        found = names.get(kind, "")
        cls = _class(transformers, found if isinstance(found, str) else found[0])
    if cls is None:
        has = f"architecture {str(named[0])[:64]!r}" if named[0] else "architecture of its own"
        raise ImportRefused(f"{path}: {kind!r} of transformers {transformers.__version__} has no {has}")
    with _without_values() if make is without_memory else nullcontext():
        model: Any = make(cls._from_config, config)
    model.tie_weights()  # which is a part of giving them values
    built: nn.Module = model
    return built


def _class(transformers: Any, name: Any) -> Any:
    """The model of this name; None without one."""
    found = getattr(transformers, name, None) if isinstance(name, str) and name.isidentifier() else None
    return found if isinstance(found, type) and issubclass(found, transformers.PreTrainedModel) else None


def _without_values() -> Any:
    """Gives weights no values, which they would not keep."""
    try:
        from transformers.initialization import no_init_weights
    except ImportError:  # before transformers 5
        return nullcontext()
    return no_init_weights()


@contextmanager
def _offline() -> Iterator[None]:
    """Lets transformers fetch nothing, and print nothing."""
    from huggingface_hub import constants

    before, said = constants.HF_HUB_OFFLINE, {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE",)}
    logger = logging.getLogger("transformers")
    level = logger.level
    with ExitStack() as stack:
        constants.HF_HUB_OFFLINE = True
        os.environ["HF_HUB_OFFLINE"] = "1"
        logger.setLevel(logging.CRITICAL)
        stack.callback(_put_back, said)
        stack.callback(setattr, constants, "HF_HUB_OFFLINE", before)
        stack.callback(logger.setLevel, level)
        yield


def _put_back(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _inputs_of(model: Any) -> Inputs | None:
    """Tokens, or images, by the name of the model's input; None if it takes others."""
    config, name = model.config, model.main_input_name
    if name == "input_ids":
        most = getattr(config.get_text_config(), "max_position_embeddings", None)
        tokens = torch.empty(1, min(TOKENS, most or TOKENS), dtype=torch.long, device="meta")
        more = {"decoder_input_ids": tokens} if getattr(config, "is_encoder_decoder", False) else {}
        return (), {name: tokens, **more}
    size, channels = getattr(config, "image_size", None), getattr(config, "num_channels", 3)
    if name == "pixel_values" and isinstance(size, int):
        return (), {name: (1, channels, size, size)}
    return None
