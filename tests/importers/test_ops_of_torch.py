"""Ops and styles of torch code: counted as torch's counter does on meta, or by hand where that sees nothing, or refused
by name; never silently zero."""

import copy

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.function_module import Function  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.nn.utils import parametrizations, spectral_norm  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.errors import ImportRefused  # noqa: E402
from costcalc.torch_backend import verify_net  # noqa: E402


def linear(inputs=8, outputs=8):
    return nn.Linear(inputs, outputs)


def param(*shape):
    return nn.Parameter(torch.zeros(shape))


def steps(self, x):
    """A cell in a loop, its state none at first."""
    state = None
    for t in range(x.shape[1]):
        state = self.cell(x[:, t], state)
    return state if isinstance(state, torch.Tensor) else state[0]


def shifted_windows(self, x):
    """Attention in windows of 2×2 that were shifted, with a mask that is written by slices."""
    n, h, w, c = x.shape
    x = torch.roll(x, (-1, -1), (1, 2))
    x = x.view(n, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
    mask = torch.zeros(1, h, w, 1, device=x.device)
    for i, rows in enumerate((slice(0, -2), slice(-2, -1), slice(-1, None))):
        mask[:, rows] += i
    mask = mask.view(1, h // 2, 2, w // 2, 2, 1).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4)
    mask = (mask[:, None] - mask[:, :, None]).ne(0) * -100.0
    q, k, v = self.qkv(x).chunk(3, -1)
    scores = (q @ k.transpose(-1, -2)).view(n, -1, 4, 4) + mask
    return self.out(scores.view(-1, 4, 4).softmax(-1) @ v)


def chosen_experts(self, x):
    """Gates of the largest two, put back in their places."""
    values, places = self.gate(x).softmax(-1).topk(2, -1)
    gates = torch.zeros(x.shape[0], 4, device=x.device).scatter(-1, places, values)
    return sum(gates[:, i : i + 1] * expert(x) for i, expert in enumerate(self.experts))


def hyper(self, x):
    """Convolutions whose weights a layer makes, one group for each image."""
    weights = self.maker(x.mean((2, 3))).reshape(-1, 3, 3, 3)
    return F.conv2d(x.reshape(1, -1, 8, 8), weights, groups=x.shape[0])


def bilinear_heads(self, x):
    """Nothing reads the second product."""
    self.unread(x)
    return self.read(x)


def lstm(*sizes, **more):
    return nn.LSTM(*sizes, **more)


def state(i):
    """The last hidden states, or cells, of an LSTM into a linear layer."""
    return lambda self, x: self.head(self.lstm(x)[1][i].transpose(0, 1).flatten(1))


SEQUENCE, MATRIX, IMAGE = torch.zeros(2, 5, 8), torch.zeros(2, 8), torch.zeros(1, 3, 8, 8)
COUNTED = {  # equal to torch's counter on meta
    "lstm, batch second": (lstm(8, 6), SEQUENCE),
    "lstm, layers in both directions": (lstm(8, 6, 2, batch_first=True, bidirectional=True), SEQUENCE),
    "lstm, last state": (Function(state(0), lstm=lstm(8, 6, batch_first=True), head=linear(6)), SEQUENCE),
    "lstm, cells, batch second": (
        Function(state(1), lstm=lstm(8, 6, 2, bidirectional=True), head=linear(24)), SEQUENCE,
    ),
    "lstm called twice": (
        Function(lambda self, x: self.a(self.a(x)[0])[0], a=lstm(8, 8, batch_first=True)), SEQUENCE,
    ),
    "lstm without a batch": (lstm(8, 6), torch.zeros(5, 8)),
    "gru, one bias": (Function(lambda self, x: self.g(x)[1], g=nn.GRU(8, 6, bias=False)), SEQUENCE),
    "rnn": (nn.RNN(8, 6, 2, nonlinearity="relu"), SEQUENCE),
    "gru cell in a loop": (Function(steps, cell=nn.GRUCell(8, 8)), SEQUENCE),
    "largest and its index": (Function(lambda self, x: self.a(x.max(1)[0]) + x.max(1)[1], a=linear()), SEQUENCE),
    "largest few": (
        Function(lambda self, x: self.a(x.gather(1, x.topk(3, 1)[1])), a=linear()), SEQUENCE,
    ),
    "sort": (Function(lambda self, x: self.a(x.sort(1)[0]), a=linear()), SEQUENCE),
    "variance and mean": (Function(lambda self, x: self.a(x - torch.var_mean(x, -1, keepdim=True)[1]), a=linear()),
                          SEQUENCE),
    "einsum of three": (
        Function(lambda self, x: torch.einsum("bi,oij,bj->bo", x, self.w, x), w=param(3, 8, 8)), MATRIX,
    ),
    "einsum with dots": (Function(lambda self, x: torch.einsum("...ij,kj->...ik", x, self.w), w=param(3, 8)), SEQUENCE),
    "diagonal by einsum": (Function(lambda self, x: torch.einsum("bii->b", self.a(x)), a=linear()),
                           torch.zeros(2, 8, 8)),
    "no elements": (Function(lambda self, x: self.a(torch.cat([x, x[:, :0]], 1)), a=linear()), SEQUENCE),
    "data parallel within": (Function(lambda self, x: self.a(x), a=nn.DataParallel(linear())), MATRIX),
    "shifted windows": (Function(shifted_windows, qkv=linear(8, 24), out=linear()), torch.zeros(1, 4, 4, 8)),
    "chosen experts": (
        Function(chosen_experts, gate=linear(8, 4), experts=nn.ModuleList(linear() for _ in range(4))), MATRIX,
    ),
    "tensordot": (Function(lambda self, x: torch.tensordot(x, self.w, 2), w=param(5, 8, 3)), SEQUENCE),
    "several products": (
        Function(lambda self, x: torch.linalg.multi_dot([x, self.v, self.w]), v=param(8, 3), w=param(3, 8)), MATRIX,
    ),
    "power of a matrix": (Function(lambda self, x: torch.matrix_power(self.a(x), 5), a=linear()),
                          torch.zeros(2, 8, 8)),
    "unfold and fold": (
        Function(lambda self, x: F.fold(self.w @ F.unfold(x, 3, padding=1), (8, 8), 1), w=param(4, 27)), IMAGE,
    ),
    "transposed, computed weight": (
        Function(lambda self, x: F.conv_transpose2d(x, self.w * 2, stride=2), w=param(3, 4, 3, 3)), IMAGE,
    ),
    "a convolution by a layer": (Function(hyper, maker=linear(3, 162)), torch.zeros(2, 3, 8, 8)),
    "resized": (
        Function(lambda self, x: self.a(F.interpolate(x, scale_factor=2, mode="bilinear")), a=nn.Conv2d(3, 4, 3)),
        IMAGE,
    ),
    "attention of three widths": (
        Function(lambda self, x: self.a(x, x[..., :6], x[..., :4], need_weights=False)[0],
                 a=nn.MultiheadAttention(8, 2, kdim=6, vdim=4)), SEQUENCE,
    ),
    "attention, added keys": (
        Function(lambda self, x: self.a(x, x, x)[0],
                 a=nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)), SEQUENCE,
    ),
    "encoder and decoder": (
        Function(lambda self, x: self.a(x, x), a=nn.Transformer(8, 2, 1, 1, 16, batch_first=True)), SEQUENCE,
    ),
    "gated unit": (Function(lambda self, x: F.glu(self.a(x)), a=linear()), MATRIX),
    "max unpool": (
        Function(lambda self, x: F.max_unpool2d(*F.max_pool2d(self.a(x), 2, return_indices=True), 2),
                 a=nn.Conv2d(3, 4, 3, padding=1)), IMAGE,
    ),
    "vmap": (Function(lambda self, x: torch.vmap(lambda row: self.w @ row)(x), w=param(3, 8)), MATRIX),
    "a traced graph": (torch.fx.symbolic_trace(nn.Sequential(linear(), nn.ReLU(), linear())), MATRIX),
    "weights by argument": (
        Function(lambda self, x: torch.func.functional_call(self.a, {"weight": self.w}, (x,)), a=linear(),
                 w=param(8, 8)), MATRIX,
    ),
    "a product that nothing reads": (Function(bilinear_heads, unread=linear(), read=linear(8, 3)), MATRIX),
    "cumulative": (Function(lambda self, x: self.a(x.cumprod(1) + x.cummax(1)[0] + x.logcumsumexp(1)), a=linear()),
                   MATRIX),
    "slices, in place": (Function(lambda self, x: self.a(x).add_(1).mul_(2).relu_(), a=linear()), MATRIX),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", COUNTED)
def test_torch_counts_the_same_on_meta(style):
    module, x = COUNTED[style]
    with FlopCounterMode(display=False) as counter:  # with gradients on, so that nothing takes a fast path
        copy.deepcopy(module).to("meta").eval()(x.to("meta"))
    cost = costcalc.load(module, x).cost()
    assert cost.total("macs") == counter.get_total_flops() // 2 > -1
    assert cost.total("params") == sum(tensor.numel() for tensor in module.parameters())


BY_HAND = {  # torch's counter sees none of these, or runs them only where there is data
    "matrix by vector": (Function(lambda self, x: torch.mv(x, self.w), w=param(8)), (MATRIX,), 2 * 8),
    "rows by vector": (Function(lambda self, x: x @ self.w, w=param(8)), (SEQUENCE,), 2 * 5 * 8),
    "dot": (Function(lambda self, x: torch.dot(x[0], self.w), w=param(8)), (MATRIX,), 8),
    "vdot": (Function(lambda self, x: torch.vdot(x[0], x[1])), (MATRIX,), 8),
    "addmv": (Function(lambda self, x: torch.addmv(self.b, x, self.w), w=param(8), b=param(2)), (MATRIX,), 2 * 8),
    "addr": (Function(lambda self, x: torch.addr(self.b, x[0], x[1]), b=param(8, 8)), (MATRIX,), 8 * 8),
    "addbmm": (
        Function(lambda self, x: torch.addbmm(self.b, x, x.transpose(1, 2)), b=param(5, 5)), (SEQUENCE,), 2 * 5 * 5 * 8,
    ),
    "bilinear": (nn.Bilinear(8, 6, 4), (MATRIX, torch.zeros(2, 6)), 2 * 4 * 6 * (8 + 1)),
    "bilinear of sequences": (nn.Bilinear(8, 6, 4), (SEQUENCE, torch.zeros(2, 5, 6)), 2 * 5 * 4 * 6 * (8 + 1)),
    "spectral norm": (parametrizations.spectral_norm(linear()), (MATRIX,), 2 * 8 * 8 + 8 * 8 + 8),
    "spectral norm by hook": (spectral_norm(nn.Conv2d(3, 4, 3)), (IMAGE,), 36 * 4 * 27 + 4 * 27 + 4),
    "padding mask": (
        Function(lambda self, x: self.a(x, src_key_padding_mask=torch.zeros(2, 5, dtype=torch.bool)),
                 a=nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1)), (SEQUENCE,),
        10 * 8 * (24 + 8 + 16 + 16) + 2 * 2 * 2 * 5 * 5 * 4,
    ),
    "lstm from a given state": (
        Function(lambda self, x: self.a(x, (self.h.expand(1, 2, 6).contiguous(), torch.zeros(1, 2, 6)))[0],
                 a=lstm(8, 6, batch_first=True), h=param(1, 1, 6)), (SEQUENCE,), 10 * 24 * (8 + 6),
    ),
    "numpy": (
        Function(lambda self, x: self.a(x) * torch.arange(8).cpu().numpy().sum().item(), a=linear()), (MATRIX,), 2 * 64,
    ),
    "a loss": (Function(lambda self, x: F.cross_entropy(self.a(x), torch.tensor([1, 2])), a=linear()), (MATRIX,), 128),
    "sums into places": (
        Function(lambda self, x: self.a(torch.zeros(3, 8).index_add(0, torch.tensor([0, 1]), x)
                                        .scatter_add(0, torch.zeros(2, 8, dtype=torch.long), x)), a=linear()),
        (MATRIX,), 3 * 64,
    ),
    "a place for each": (
        Function(lambda self, x: self.a(torch.bucketize(x, torch.linspace(0, 1, 5)).float()), a=linear()), (MATRIX,),
        2 * 64,
    ),
    "bags of words": (
        Function(lambda self, x: self.a(self.b(x)), b=nn.EmbeddingBag(10, 8), a=linear()),
        (torch.zeros(2, 5, dtype=torch.long),), 2 * 64,
    ),
    "an image at the positions of a matrix": (
        Function(lambda self, x: F.grid_sample(x, F.affine_grid(self.w, (1, 3, 4, 5), align_corners=False),
                                               align_corners=False), w=param(1, 2, 3)), (IMAGE,), 4 * 5 * 3 * 2,
    ),
    "a grouped product": (
        Function(lambda self, x: torch._grouped_mm(x.bfloat16(), self.w.bfloat16(), torch.tensor([1, 2]).int()),
                 w=param(2, 8, 16)), (MATRIX,), 2 * 8 * 16,
    ),
    "a grouped product in float32": (
        Function(lambda self, x: torch._grouped_mm(x, self.w, torch.tensor([1, 2]).int()), w=param(2, 8, 5)), (MATRIX,),
        2 * 8 * 5,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", BY_HAND)
def test_what_was_derived_by_hand(style):
    module, inputs, macs = BY_HAND[style]
    cost = costcalc.load(module, *inputs).cost()
    assert cost.total("macs") == macs
    assert cost.total("params") == sum(tensor.numel() for tensor in module.parameters())


LEFT_OUT = (
    "matrix by vector", "addmv", "addr", "addbmm", "bilinear", "bilinear of sequences", "a grouped product",
    "a grouped product in float32", "lstm from a given state",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", LEFT_OUT)
def test_verify_sees_products_that_torchs_counter_leaves_out(style):
    module, inputs, macs = BY_HAND[style]
    checked = verify_net(costcalc.load(module, *inputs))
    assert (checked.verdict, checked.totals()["torch_macs"]) == ("same", macs)


@pytest.mark.parametrize("a", [(4, 8), (3, 4, 8)])
@pytest.mark.parametrize("b", [(8, 16), (3, 8, 16)])
def test_a_grouped_product_has_the_shape_that_torch_gives_it_on_data(a, b):
    ends = torch.tensor([4, 12, 16] if len(a) == 3 else [2, 5, 8] if len(b) == 2 else [1, 2, 4]).int()
    ends = None if len(a) == len(b) == 3 else ends
    module, ins = Function(lambda self, x, y: torch._grouped_mm(x, y, ends)), (torch.zeros(a), torch.zeros(b))
    assert costcalc.load(module, *ins).cost().layers[-1].output_shape == module(*ins).shape


def test_other_arithmetic_of_places():
    """An addition for each element that is added; three comparisons for a place among five bounds."""
    for name, operations in (("sums into places", 2 * 16 + 3 * 8), ("a place for each", 3 * 16 + 16)):
        module, inputs, _ = BY_HAND[name]
        assert costcalc.load(module, *inputs).cost().total("elementwise") == operations


def packed(self, x):
    lengths = torch.tensor([5, 3], device="cpu")
    return self.a(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[1][0]


REFUSED = {
    "a projection": (lstm(8, 6, proj_size=4), SEQUENCE, "aten::lstm with a projection ×1"),
    "packed": (Function(packed, a=lstm(8, 6)), SEQUENCE, "lengths"),
    "fft": (Function(lambda self, x: torch.fft.rfft(x).abs()), MATRIX, "aten::_fft_r2c of complex numbers ×1"),
    "complex products": (
        Function(lambda self, x: torch.view_as_complex(x.reshape(2, 4, 2)) @ torch.ones(4, 3, dtype=torch.complex64)),
        MATRIX, "aten::matmul of complex numbers ×1",
    ),
    "distances": (Function(lambda self, x: torch.cdist(x, self.p), p=param(4, 8)), MATRIX, "aten::_cdist_forward ×1"),
    "many distances": (
        Function(lambda self, x: torch.cdist(x, self.p), p=param(40, 8)), MATRIX, "aten::_euclidean_dist ×1",
    ),
    "inverse": (Function(lambda self, x: torch.linalg.inv(x)), torch.zeros(2, 8, 8), "aten::linalg_inv_ex ×1"),
    "solved": (Function(lambda self, x: torch.linalg.solve(x, x)), torch.zeros(2, 8, 8), "aten::_linalg_solve_ex"),
    "singular values": (Function(lambda self, x: torch.linalg.svd(x)[0]), torch.zeros(2, 8, 8), "aten::_linalg_svd"),
    "orthogonal": (parametrizations.orthogonal(linear()), MATRIX, "aten::linalg_matrix_exp ×1"),
    "one without a rule that nothing reads": (
        Function(lambda self, x: (torch.linalg.inv(x), x)[1]), torch.zeros(2, 8, 8), "aten::linalg_inv_ex ×1",
    ),
    "many at once": (Function(lambda self, x: torch._foreach_add([x, x], 1)[0]), MATRIX, "aten::_foreach_add ×1"),
    "many in place": (
        Function(lambda self, x: (torch._foreach_mul_([x], 2), x)[1]), MATRIX, "aten::_foreach_mul_ ×1",
    ),
    "nested": (
        Function(lambda self, x: torch.nested.nested_tensor([x[0], x[1]], layout=torch.jagged).sum()), MATRIX,
        "a tensor of layout jagged has no fixed sizes",
    ),
    "scripted": (torch.jit.script(linear()), MATRIX, "it is a module of TorchScript; import the module that it was"),
    "lazy": (nn.Sequential(nn.LazyLinear(3)), MATRIX, "'0' is a lazy module, whose sizes are not known"),
    "where": (Function(lambda self, x: torch.where(x > 0)[0]), MATRIX, "it asks for the value of a tensor"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("style", REFUSED)
def test_what_has_no_rule_is_refused_by_name(style):
    module, x, words = REFUSED[style]
    with pytest.raises(ImportRefused) as caught:
        costcalc.load(module, x).cost()
    assert words in str(caught.value)


def test_last_states_have_their_shapes():
    module = Function(lambda self, x: self.a(x)[1], a=lstm(8, 6, 2, bidirectional=True))
    shapes = {str(row.name): row.output_shape for row in costcalc.load(module, SEQUENCE).cost().layers}
    assert [shapes["a.view_2"], shapes["a.view_3"]] == [(4, 5, 6)] * 2  # of hidden states, and of cells
    assert (shapes["a.view"], shapes["a"]) == ((5, 2, 8), (5, 2, 12))


def test_compiled_parts_keep_their_names():
    module = Function(lambda self, x: self.a(x), a=torch.compile(nn.Sequential(linear(), nn.ReLU())))
    assert [str(row.name) for row in costcalc.load(module, MATRIX).cost().layers][1:] == ["a.0", "a.1"]


def test_a_scalar_that_the_run_does_not_reach_is_a_param():
    module = Function(lambda self, x: self.a(x), a=linear(), scale=param())
    assert costcalc.load(module, MATRIX).cost().total("params") == 8 * 8 + 8 + 1


def test_a_weight_that_lies_the_other_way_round_is_that_of_a_linear_layer():
    """As in GPT-2, of which only the views have other names."""
    inner = Function(
        lambda self, x: torch.addmm(self.b, x.view(-1, 8), self.w).view(2, 5, 3), b=param(3), w=param(8, 3)
    )
    cost = costcalc.load(Function(lambda self, x: self.a(x), a=inner), SEQUENCE).cost()
    assert [(row.name, row.op.name) for row in cost.layers[1:]] == [
        ("a.view", "view"), ("a", "linear"), ("a.view_2", "view"),
    ]  # fmt: skip
    assert (cost.total("bias"), cost.total("macs")) == (3, 10 * 8 * 3)


POSITIONS = torch.zeros(1, 4, 5, 2)
LIBRARY = {  # what a call becomes
    "bilinear": (
        lambda self, x: F.interpolate(x, size=(5, 7), mode="bilinear"), ops.Upsample(mode="linear", size=[5, 7]),
    ),
    "bicubic": (lambda self, x: F.interpolate(x, size=5, mode="bicubic"), ops.Upsample(mode="cubic", size=5)),
    "nearest": (lambda self, x: F.interpolate(x, scale_factor=2), ops.Upsample(2)),
    "nearest, exact": (lambda self, x: F.interpolate(x, size=5, mode="nearest-exact"), ops.Upsample(size=5)),
    "area": (lambda self, x: F.interpolate(x, size=(5, 7), mode="area"), ops.AdaptiveAveragePool([5, 7])),
    "one axis kept": (lambda self, x: F.adaptive_avg_pool2d(x, (3, None)), ops.AdaptiveAveragePool([3, 8])),
    "positions": (lambda self, x: F.grid_sample(x, POSITIONS, align_corners=False), ops.GridSample()),
    "nearest positions": (
        lambda self, x: F.grid_sample(x, POSITIONS, mode="nearest", align_corners=True), ops.GridSample("nearest"),
    ),
    "no batch": (lambda self, x: F.max_pool2d(x[0], 2), ops.MaxPool(2, 2)),
    "no batch, all positions": (lambda self, x: F.adaptive_avg_pool2d(x[0], 1), ops.GlobalAveragePool(keep=True)),
}  # fmt: skip


@pytest.mark.parametrize("call", LIBRARY)
def test_a_call_is_the_librarys_op(call):
    forward, op = LIBRARY[call]
    cost = costcalc.load(Function(forward), IMAGE).cost()
    assert [row.op for row in cost.layers if row.op.name not in ("input", "view", "constant")] == [op]


def test_layers_on_an_image_without_a_batch_have_their_weights():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 2, 2), nn.AvgPool2d(2))
    cost = costcalc.load(module, torch.zeros(3, 8, 8)).cost()
    kinds = [row.op.name for row in cost.layers if row.op.name not in ("input", "view")]
    assert kinds == ["conv", "conv_transpose", "average_pool"]
    assert (cost.macs, cost.params) == (36 * 4 * 27 + 36 * 2 * 4 * 4, 4 * 27 + 4 + 2 * 4 * 4 + 2)


def test_a_bias_is_of_channels_in_an_image_as_wide_as_they_are_many():
    module = Function(lambda self, x: F.conv2d(x, self.w * 2, self.b, padding=1), w=param(4, 3, 3, 3), b=param(4))
    four, five = ([row.op.name for row in costcalc.load(module, (2, 3, 6, width)).cost().layers] for width in (4, 5))
    assert four == five


def test_a_tensor_that_the_run_does_not_reach_gets_no_gradient():
    """Its own memory is the only difference in a training step."""
    peaks = [
        costcalc.sweep(costcalc.load(module, MATRIX), batch=[2], metrics=["train_peak_bytes"]).to_records()[0]
        for module in (Function(lambda self, x: self.a(x), a=linear(), b=param(3, 4)), linear())
    ]
    assert peaks[0]["train_peak_bytes"] - peaks[1]["train_peak_bytes"] == 4 * 3 * 4
