"""LaTeX as it is printed compiles: pdflatex of TeX Live, with the packages that the first line of each table names."""

import shlex
import shutil
import subprocess

import pytest

from costcalc.cli.app import run

COMMANDS = [
    "show resnet50 --depth 1 --units M",
    "compare resnet50 vgg16 alexnet --units auto --columns target,params,macs,ratio --caption '50_% #1' --label tab:a",
    "compare inception_naive inception_bottleneck",
    "sweep efficientnet --presets all --units auto --label tab:b",
    "explain inception_bottleneck",
    "reconcile lenet5",
    "transfer vgg16 --classes 3 --units auto",
    "memory resnet50 --train --units MiB",
    "ops conv",
    "augment alexnet",
]
DOCUMENT = r"""\documentclass[landscape]{article}
\usepackage[T1]{fontenc}
\usepackage{textcomp,graphicx,booktabs}
\begin{document}
%s
\end{document}
"""


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed; apt install texlive-latex-base")
@pytest.mark.parametrize("command", COMMANDS)
def test_it_compiles(command, tmp_path):
    assert run([*shlex.split(command), "-o", str(tmp_path / "table.tex")]) == 0
    (tmp_path / "it.tex").write_text(DOCUMENT % r"\input{table}")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "it.log").read_text()
