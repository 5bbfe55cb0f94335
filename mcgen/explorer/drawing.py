"""The set-up along the beam, as `mcgen show` draws it."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d

from mcgen.base.units import quantity_text
from mcgen.explorer.figures import blank, set_ends
from mcgen.report.drawing import Layout

#: greys of the target's materials, and the looks of what is behind
_GREYS = ("#8c8c8c", "#cccccc", "#666666", "#e6e6e6", "#404040")
_LOOKS = {"gap": "#f4f4f4", "displaced": "#d7ecd9", "missing-energy": "#d6e6f5"}
_S, _BEAM = "#e07b00", "#bb0000"


class DrawingFigure:
    """Beam, target, gap and detector, some S with their decays, and where a decay counts."""

    def __init__(self) -> None:
        self.words: dict[str, Any] = {"x": [("z [m]", "")], "y": [("x [cm], stretched", "")]}
        self.figure = made = blank(x_range=Range1d(0, 1), y_range=Range1d(-1, 1))
        made.grid.visible = False
        self._parts = ColumnDataSource({name: [] for name in ("left", "right", "top", "bottom", "color", "name")})
        parts = made.quad(
            "left", "right", "top", "bottom", source=self._parts, fill_color="color", line_color="#888888",
            line_width=0.5,
        )  # fmt: skip
        made.add_tools(HoverTool(renderers=[parts], tooltips=[("", "@name")]))
        self._tracks = ColumnDataSource({name: [] for name in ("x0", "y0", "x1", "y1")})
        made.segment("x0", "y0", "x1", "y1", source=self._tracks, line_color=_S, line_width=0.8)
        self._decays = ColumnDataSource({name: [] for name in ("x", "y")})
        made.scatter("x", "y", source=self._decays, size=4, color=_S)
        self._beam = ColumnDataSource({name: [] for name in ("xs", "ys")})
        made.multi_line("xs", "ys", source=self._beam, line_color=_BEAM, line_width=2)
        self._counts = ColumnDataSource({name: [] for name in ("xs", "ys")})
        made.multi_line("xs", "ys", source=self._counts, line_color="black", line_width=3)
        made.tags = ["layout"]

    def clear(self) -> None:
        """Draw nothing, as for beams that collide."""
        for source in (self._parts, self._tracks, self._decays, self._beam, self._counts):
            source.data = {name: [] for name in source.data}

    def show(self, setup: Layout) -> None:
        """Draw a set-up."""
        end, tracks = setup.end, setup.tracks
        view = 1.15 * end
        x, z = tracks["vertex_x_cm"], tracks["vertex_z_cm"]
        z_end = np.minimum(tracks["decay_z_cm"], view)
        slope = tracks["S_px"] / tracks["S_pz"]
        x_end = np.where(tracks["decay_z_cm"] > view, x + (view - z) * slope, tracks["decay_x_cm"])
        reach = max(np.abs(x_end).max(), np.abs(x).max(), 2.0 * setup.card.beam.spot, 1e-6 * end)
        sizes = [part.half + abs(part.middle) for part in setup.parts]
        top = 1.15 * max(reach, min((size for size in sizes if size < 30.0 * reach), default=0.0))
        bottom = -1.3 * top
        (to_z, z_unit), (to_x, x_unit) = _scale(end), _scale(top)
        self.words = {"x": [(f"z [{z_unit}]", "")], "y": [(f"x [{x_unit}], stretched", "")]}
        names = list(dict.fromkeys(part.name for part in setup.parts if part.kind == "target"))
        colors = [
            _GREYS[names.index(part.name) % len(_GREYS)] if part.kind == "target"
            else _LOOKS["gap" if part.kind == "gap" else setup.card.detector.signature]
            for part in setup.parts
        ]  # fmt: skip
        self._parts.data = {
            "left": [part.z_low * to_z for part in setup.parts],
            "right": [part.z_high * to_z for part in setup.parts],
            "bottom": [max(bottom, part.middle - part.half) * to_x for part in setup.parts],
            "top": [min(top, part.middle + part.half) * to_x for part in setup.parts],
            "color": colors,
            "name": [f"{part.name}, {quantity_text(part.z_high - part.z_low, 'length')}" for part in setup.parts],
        }
        self._tracks.data = {"x0": z * to_z, "y0": x * to_x, "x1": z_end * to_z, "y1": x_end * to_x}
        inside = tracks["decay_z_cm"] <= z_end
        self._decays.data = {"x": z_end[inside] * to_z, "y": x_end[inside] * to_x}
        self._beam.data = {"xs": [[-0.1 * end * to_z, 0.0]], "ys": [[0.0, 0.0]]}
        ranges = [setup.fiducial, *setup.active]
        height = -1.2 * top * to_x
        self._counts.data = {
            "xs": [[to_z * min(edge, view) for edge in one] for one in ranges], "ys": [[height, height]] * len(ranges)
        }  # fmt: skip
        set_ends(self.figure.x_range, -0.12 * end * to_z, view * to_z)
        set_ends(self.figure.y_range, bottom * to_x, top * to_x)


def _scale(length: float) -> tuple[float, str]:
    """(factor from cm, unit) of an axis of this length in cm."""
    unit = quantity_text(length, "length").split()[1]
    return {"um": (1e4, "um"), "mm": (10.0, "mm"), "cm": (1.0, "cm")}.get(unit, (0.01, "m"))
