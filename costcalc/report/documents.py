"""What the JSON of each command has, as data: of it a JSON Schema is made.

A dict is an object; a name that ends in `?` may be missing, `*` stands for all other names, `*_pairs` for those that
end so, and METRIC for any metric. A list is an array of one kind of item. A text is a type, or a part of PARTS, with
`|` between types. What is here stays: within a schema version names are added, and none goes or changes its type.
"""

from __future__ import annotations

from typing import Any

METRIC = "<metric>"
HEAD: dict[str, Any] = {
    "schema_version": "int",
    "costcalc_version": "text",
    "convention": "text",
    "warnings?": ["warning"],
}
PARTS: dict[str, Any] = {
    "warning": {
        "target?": "text", "layer": "text|null", "message": "text", "hint": "text",
        "place": {"file": "text", "line": "int", "column": "int"},
    },
    "values": {"*": "int|num|bool|text|null"},
    "sizes": {"*": "int|num|bool|text"},
    "counts": {"*": "int"},
    "shape": ["int"],
    "dtype": {"weights": "text", "activations": "text"},
    "totals": {METRIC: "metric"},
    "training": {"optimizer": "text", "freeze": ["text"], "freeze_statistics": "bool", "checkpoint": ["text"]},
    "interval": {
        "median": "num", "iqr": "num", "low": "num", "high": "num", "runs": "int", "noisy": ["text"],
    },
    "point": {METRIC: "metric", "*": "int|num|bool|text|null"},
    "accuracy": {"metric": "text", "value": "num", "source": "text"},
    "pair": {
        "first": "text|null", "first_cost": "int", "second": "text|null", "second_cost": "int", "size": "text|null",
        "saved": "int", "share": "num|null",
    },
    "ratio": {
        "target": "text", "over": "text", "metric": "text", "knobs": "sizes", "text": "text", "latex": "text",
        "python": "text", "value": {"numerator": "int", "denominator": "int", "decimal": "num|null"},
        "break_evens": [{"knob": "text", "sign": "text", "text": "text", "value": "num", "current": "num"}],
        "domain": ["text"],
    },
    "closed_form": {
        "given": ["text"], "free": "sizes", "text": "text", "latex": "text", "python": "text",
        "terms": [{"name": "text", "text": "text", "latex": "text"}], "where": {"*": "text"},
        "domain": [{"letter": "text", "least": "num|null", "most": "num|null", "because": "text", "above": "text"}],
    },
    "elasticity": {"knob": "text", "at": "num", "elasticity": "num", "doubled": "num|null", "exponent": "num|null"},
    "term": {"name": "text", "value": "int", "share": "num|null", "formula": "text"},
    "tensor": {"shape": "shape", "dtype": "text", "images": "int", "bytes": "int"},
    "compared": {
        "by": "text", "baseline": "text", "algebra": "ratio|null", "pairs": ["pair"],
        "targets": [{
            "target": "text", "knobs": "sizes", "totals": "totals", "ratio": "num|null", "quoted?": ["accuracy"],
            "*_ratio": "num|null",
        }],
        "*_pairs": ["pair"],
    },
    "timed": {
        "device": "text", "fingerprint": "text", "environment": "any", "verdicts": ["text"],
        "points": [{
            "target": "text", "settings": "values", "status": "text", "message": "text", "seconds": "interval|null",
            "parts": {"*": "interval"}, "runs": ["num"], "warm_up_runs": "int", "other_cores": "num|null",
            "layers": "any", "ceilings": "any", "params": "int", "macs": "int", "backward_macs": "int|null",
            "activations": "int", "weight_bytes": "int", "predicted_peak_bytes": "int|null",
            "measured_peak_bytes": "int|null",
        }],
    },
    "record": {
        "target": "text", "graph_hash": "text", "device": "text", "settings": "values", "environment": "any",
        "result": "any", "started_at": "text", "id": "int|null", "run": "int|null",
    },
    "verified": {
        "name": "text", "tensors": "int", "params": "int", "torch_params": "int", "macs": "int", "torch_macs": "int",
        "backward_macs": "int|null", "torch_backward_macs": "int|null", "verdict": "text", "ok": "bool",
        "torch_version": "text", "layers": "any",
        "modules?": [{"name": "text", "op": "text", "layers": "int", "ours": "values", "torch": "values"}],
    },
    "pipeline": {
        "pipeline": "text", "source": "text", "settings": "sizes", "input": "tensor", "totals": "values",
        "continuous": ["text"],
        "steps": [{
            "step": "text", "out": "tensor", "elementwise": "int", "bytes_in": "int", "bytes_out": "int",
            "views": "int|text",
        }],
    },
    "figure": {
        "what": "text", "published": "text", "ours": "text", "exact": "int", "agrees": "bool",
        "difference": "num|null", "verdict": "text", "source": "text",
    },
    "op": {
        "op": "text", "shapes": "text", "about": "text", "synonyms": ["text"], "needs": ["text"],
        "fields": [{"field": "text", "takes": "text", "needed": "bool", "default": "any", "synonyms": ["text"]}],
    },
    "problem": {
        "file": "text", "line": "int", "column": "int", "level": "text", "message": "text", "hint": "text",
    },
    "changes": {
        "revision": "text", "commit": "text", "metrics": ["text"], "changes": [{"*": "any"}], "unchanged": ["text"],
        "renamed": [{"from": "text", "to": "text"}], "no_longer_checked": ["text"], "remarks": ["text"],
        "not_compared": [{"target": "text", "because": "text"}],
    },
    "strategy": {
        "key": "text", "strategy": "text", "trainable_params": "int", "frozen_params": "int", "step_macs": "int",
        "epoch_macs": "int", "once_macs": "int", "macs": "int", "step_bytes": "int", "disk_bytes": "int|null",
        **dict.fromkeys(("largest_batch?", "looked_to?"), "int|null"),
        **dict.fromkeys(("step_seconds?", "seconds?", "step_seconds_low?", "step_seconds_high?"), "num|null"),
    },
}  # fmt: skip

NETWORK = {"target": "text", "knobs": "sizes"}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "list": {"specs": [{"name": "text", "kind": "text", "lecture": "int|null", "title": "text"}]},
    "info": {
        "target": "text", "name": "text", "title": "text", "source": "text", "about": "text",
        "knobs": [{"knob": "text", "value": "int|num|bool|text", "takes": "text", "about": "text", "effect": "text"}],
        "presets": [{"preset": "text", "about": "text", "params": "int", "macs": "int"}],
        "quoted": [{"network": "text", "top1?": "text", "top5?": "text", "source": "text"}],
    },
    "show": {
        **NETWORK, "dtype": "dtype", "notes?": ["text"], "training?": "training", "totals": "totals",
        "layers": [{
            "name": "text", "op": "text", "inputs": ["text"], "input_shapes": ["shape"], "output_shape": "shape",
            "times": "int", METRIC: "metric",
        }],
        "blocks?": [{"name": "text", "op": "text", "times": "int", "output_shape": "shape", METRIC: "metric"}],
    },
    "show_tensors": {
        "target": "text", "totals": "counts",
        "tensors": [{"name": "text", "shape": "shape", "dtype": "text", "params": "int", "bytes": "int"}],
    },
    "compare": PARTS["compared"],
    "compare_time": {**PARTS["compared"], "time": "timed"},
    "compare_break_even": {
        "by": "text", "knob": "text", "targets": [NETWORK], "crossings": ["num"],
        "looked_at": {"from": "num", "to": "num", "values": "int", "invalid": "int"},
        "rows": [{
            "from": "num", "to": "num", "more": "text|null", "first": "int", "second": "int", "ratio": "num|null",
        }],
    },
    "formula": {
        **NETWORK, "metric": "text", **PARTS["closed_form"], "conditions": ["text"], "assumptions": ["text"],
        "without_floors?": "closed_form", "found?": "text", "elasticity?": ["elasticity"], "by_term?": ["term"],
    },
    "elasticity": {**NETWORK, "metric": "text", "rows": ["elasticity"]},
    "by_term": {**NETWORK, "metric": "text", "rows": ["term"]},
    "ratio": PARTS["ratio"],
    "sweep": {
        **NETWORK, "axes": {"*": ["num"]}, "points": "int", "kept": "int", "invalid": "int", "refused": "int",
        "rows": ["point"],
    },
    "sweep_fit": {
        **NETWORK, "axes": {"*": ["num"]}, "points": "int",
        "rows": [{"metric": "text", "constant": "num", "r_squared": "num", "largest_error": "num", "*": "num"}],
    },
    "sweep_histogram": {
        "target": "text", "metric": "text", "rows": [{"from": "num", "below": "num", "points": "int"}],
    },
    "sweep_presets": {
        "target": "text", "rows": [{"preset": "text", **PARTS["point"]}], "growth?": ["num"],
        "elasticities?": [{"preset": "text", "*": "num"}],
    },
    "scale": {
        **NETWORK, "budget": "counts", "knob": "text", "value": "num", "same_cost_from": "num", "looked_to": "num",
        "rows": ["point"],
    },
    "scale_grid": {
        **NETWORK, "budget": "counts", "axes": {"*": ["num"]}, "points": "int", "fit": "int", "front": "int",
        "invalid": "int", "rows": ["point"], "compound": "any",
    },
    "scale_compound": {
        **NETWORK, "law": {"alpha": "num", "beta": "num", "gamma": "num", "product": "num"}, "budget": "counts",
        "phi": "num", "rows": [{"what": "text", **PARTS["point"]}],
    },
    "scale_next": {**NETWORK, "rows": [{"knob": "text", "changes": ["text"], **PARTS["point"]}]},
    "check": {
        "ok": "bool", "without_budget": ["text"], "against": "changes|null",
        "budgets": [{
            "target": "text", "metric": "text", "value": "int", "budget": "int", "file": "text", "over": "int|null",
            "left": "int|null", "used": "num|null",
        }],
    },
    "memory": {
        **NETWORK, "dtype": "dtype", "training?": "training", "phase": "text", "layer": "text", "bytes": "int",
        "parts": "counts", "moments?": [{"layer": "text", "phase": "text", "*": "int"}],
    },
    "memory_checkpoint": {
        **NETWORK, "dtype": "dtype", "training": "training", "within": "int", "rows": ["text"],
        "recomputed_macs": "int", "train_peak_bytes": "int", "without": "int", "choices": "int",
    },
    "transfer": {
        **NETWORK, "dtype": "dtype", "optimizer": "text", "classes": "int", "images": "int", "epochs": "int",
        "views": "int", "batch": "int", "steps_per_epoch": "int", "within": "int|null",
        "head": {"layer": "text", "inputs": ["text"], "elements": "int", "bytes": "int"},
        "strategies": ["strategy"], "missing": ["text"], "break_even_epochs?": "int|null",
        "rates?": {
            "features_seconds": "num|null", "write_bytes_per_second": "num|null", "read_bytes_per_second": "num|null",
            "source": "text", "noisy": ["text"], "lost": ["text"],
        },
    },
    "augment_list": {"pipelines": [{"name": "text", "title": "text", "source": "text"}]},
    "augment": {**PARTS["pipeline"], "beside?": "any", "time?": "any", "feeding?": "any"},
    "explain": {**NETWORK, "rows": [{"name": "text", "metric": "text", "how": "text", "value": "int"}]},
    "reconcile": {"target": "text", "ok": "bool", "figures": ["figure"], "others": ["text"]},
    "reconcile_figure": {
        "target": "text", "figure": "text", "ok": "bool", "forms": "int", "random_figures": "int",
        "explained_by_chance": "int",
        "matches": [{"network": "text", "counts": "text", "exact": "int", "changes": "int"}],
    },
    "lecture": {
        "questions": [{"lecture": "int", "question": "text", "command": "text", "answer": "text", "why": "text"}],
    },
    "ops": {"ops": ["op"]},
    "validate": {
        "ok": "bool", "files": [{"file": "text", "ok": "bool", "summary": "text", "problems": ["problem"]}],
    },
    "devices": {
        "devices": [{
            "name": "text", "model": "text", "memory": "int|null", "details": "text", "fingerprint": "text|null",
        }],
    },
    "verify": PARTS["verified"],
    "verify_all": {"networks": ["verified"]},
    "time": PARTS["timed"],
    "runs_list": {"runs": ["record"]},
    "runs_show": PARTS["record"],
    "runs_compare": {
        "first": "record", "second": "record", "ratio": "num", "apart": "bool", "unlike": "any", "environment": "any",
        "verdict": "text",
    },
    "table": {"rows": [{"*": "any"}]},
    "export": {
        "target": "text", "format": "text", "layers": "int", "distinct_layers": "int", "lines": "int",
        "graph_hash": "text", "text": "text",
    },
}  # fmt: skip
