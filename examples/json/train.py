#!/usr/bin/env python3
"""Fits a line to a few points, and writes what it did as an experiment of neptune.

Python's standard library alone: `python3 train.py FOLDER`, then `neptune import json FOLDER/python.json`.
"""

import json
import pathlib
import struct
import sys
import time
import zlib

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
folder.mkdir(parents=True, exist_ok=True)

POINTS = [(x / 10, 3 * x / 10 + 1) for x in range(10)]


def write_png(path, rows):
    """A grey image of rows of bytes."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def residuals(slope, offset):
    """How far off each point is, as rows of grey."""
    row = [min(255, int(100 * abs(slope * x + offset - y))) for x, y in POINTS]
    return [row] * 4


params = {"learning_rate": 0.5, "epochs": 20, "optimizer": {"name": "sgd", "momentum": None}}
slope, offset = 0.0, 0.0
steps, losses, times, log, images = [], [], [], [], []
for epoch in range(params["epochs"]):
    errors = [(x, slope * x + offset - y) for x, y in POINTS]
    loss = sum(error * error for _, error in errors) / len(errors)
    slope -= params["learning_rate"] * 2 * sum(x * error for x, error in errors) / len(errors)
    offset -= params["learning_rate"] * 2 * sum(error for _, error in errors) / len(errors)
    steps.append(epoch)
    losses.append(loss)
    times.append(time.time())
    if epoch % 10 == 9:
        log.append({"x": epoch, "y": f"epoch {epoch}: y = {slope:.3f} x + {offset:.3f}"})
        image = f"residuals_{epoch}.png"
        write_png(folder / image, residuals(slope, offset))
        images.append({"x": epoch, "y": image, "image_name": f"after epoch {epoch}"})

(folder / "model.json").write_text(json.dumps({"slope": slope, "offset": offset}))
(folder / "train.py").write_text(pathlib.Path(__file__).read_text())

experiment = {
    "name": "a line, from Python",
    "description": "Written by the standard library alone.",
    "params": params,
    "properties": {"python": sys.version.split()[0]},
    "tags": ["python", "line"],
    "upload_source_files": ["train.py"],
    "log_metric": {
        "train/loss": {"x": steps, "y": losses, "timestamp": times},
        "final/loss": losses[-1],
        # Not a number: it is left out with a warning, as by `log_metric`.
        "diverged": [1.0, float("nan")],
    },
    "log_text": {"log": log},
    "log_image": {"residuals": images},
    "log_artifact": ["model.json"],
}
(folder / "python.json").write_text(json.dumps(experiment, indent=1))
