"""A sweep to a file in tiny chunks, as a process of its own that can be killed: `python streams.py FILE WORKERS`.

It says on stdout which chunk it works on and which is on the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

from support.paths import DATA

import costcalc
from costcalc.analysis.sweep import compute
from costcalc.analysis.sweep.chunks import compute_chunk
from costcalc.analysis.sweep.grid import read_axes
from costcalc.analysis.sweep.point_query import read_query
from costcalc.analysis.sweep.sweep import grid_of
from costcalc.sweep_files import resume_journal
from costcalc.sweep_files.request import SweepRequest
from costcalc.sweep_files.write import write
from costcalc.workers.pools import pool_for

POINTS = 40  # of a chunk
SMALL = str(DATA / "small.yaml")
AXES = ["r=4:24:2", "w=0.25:1.25:0.05", "d=1,1.1,2"]  # 693 points, at 63 of which there is no such network


def wanted(path, target=SMALL, axes=AXES, resume=True, points=(POINTS, 15), **choice):
    net = costcalc.load(target)
    grid = grid_of(net, read_axes(axes, net.knobs, net.name))
    chosen = read_query(net.knobs, [*grid.axes], **choice)
    return SweepRequest(net, grid, chosen, Path(path), None, resume, points=points)


SOME = "where=macs < 1e5 and r > 4"
KINDS = {  # a file, and what chooses its points
    "whole.csv": [], "some.csv": [SOME], "whole.parquet": [], "some.parquet": [SOME],
    "front.csv": ["pareto=r,d,w"], "best.json": ["top=7"],
}  # fmt: skip


def options(name):
    pairs = dict(text.split("=", 1) for text in KINDS[name])
    return {key: int(value) if key == "top" else value for key, value in pairs.items()}


def told(task, chunk):
    print("works", chunk.start, flush=True)
    return compute_chunk(task, chunk)


def main(path, workers, *choice):
    add = resume_journal.PartWriter.add

    def acknowledged(self, piece, done, state):
        add(self, piece, done, state)
        print("done", done, flush=True)

    resume_journal.PartWriter.add = acknowledged
    compute.compute_chunk = told
    options = dict(text.split("=", 1) for text in choice)
    with pool_for(int(workers), None, 0, 1) as pool:
        write(wanted(path, **options), pool)


if __name__ == "__main__":
    main(*sys.argv[1:])
