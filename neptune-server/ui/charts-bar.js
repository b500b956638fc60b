// The controls of all charts of a page. What they say is in the address: `x`, `smooth`, `log`, `outliers`, `band`, `charts`,
// `chart-group`, `spread`.

import { SPREADS } from "./chart-groups.js";
import { choose } from "./charts-choose.js";
import { fill, h, settled } from "./dom.js";
import { column } from "./runs-columns.js";
import * as state from "./state.js";

const AXES = [["step", "step"], ["relative", "relative time"], ["wall", "wall time"]];

// In the address, before the path of a series that is the axis.
const SERIES = "series:";

// What the address says of all charts. `x` is `epoch` or the path of a series if `axis` is "series".
export function chosen() {
  const axis = state.read("x", "step");
  const x = axis === "epoch" ? axis : axis.startsWith(SERIES) ? axis.slice(SERIES.length) : null;
  const smoothing = Number(state.read("smooth", "0"));
  const spread = state.read("spread");
  return {
    axis: x !== null ? "series" : AXES.some(([name]) => name === axis) ? axis : "step", x, smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : 0,
    isLog: state.read("log") === "1", isTrimmed: state.read("outliers") === "0", band: state.read("band") !== "0", search: state.read("charts", ""),
    spread: SPREADS.some(([name]) => name === spread) ? spread : "range",
  };
}

// `view` has `series()`, the paths of all series of numbers, `hasEpoch()`, `columns()`, what can be grouped by, `isSeveral()`,
// `groupedBy()` and `groupBy(paths)`.
export function bar(view) {
  const write = settled(120, state.write);
  const search = h("input", { type: "search", placeholder: "Charts: train & !grad", "aria-label": "Search charts by regular expression", title: "A regular expression; a & !b finds what has a and not b", oninput: () => write({ charts: search.value }) });
  const axis = h("select", { "aria-label": "x axis", onchange: () => { if (axis.value === "...") another(); else setX(axis.value); } });
  const slider = h("input", { type: "range", min: 0, max: 999, step: 1, "aria-label": "Smoothing", title: "Exponential moving average; each point is one step of it", oninput: () => { amount.value = slider.value / 1000; smooth(); } });
  const amount = h("input", { type: "number", min: 0, max: 0.999, step: 0.01, "aria-label": "Smoothing, as a number", oninput: () => { slider.value = amount.value * 1000; smooth(); } });
  const smooth = () => write({ smooth: Number(amount.value) > 0 ? Math.min(0.999, Number(amount.value)) : null });
  const log = toggle("log y", "Logarithmic y axes", (yes) => ({ log: yes }));
  const trimmed = toggle("ignore outliers", "y axes from the 5th to the 95th hundredth of what is seen", (yes) => ({ outliers: yes ? "0" : null }));
  const band = toggle("band", "Where a piece has several points: their mean, and a band from the least to the greatest. Without it, a line through them all", (yes) => ({ band: yes ? null : "0" }));
  const group = h("button.group", { title: "Draw the mean of the experiments that have the same values", onclick: chooseGroup });
  const spread = h("select", { "aria-label": "Band of a group", onchange: () => state.write({ spread: spread.value === "range" ? null : spread.value }) }, SPREADS.map(([value, text]) => h("option", { value }, text)));
  const element = h("div.tools.charts-bar", { role: "toolbar", "aria-label": "Charts" }, search, h("label", "x", axis), h("label", "smoothing", slider, amount), group, spread, log.element, trimmed.element, band.element);

  // A zoom is in what the axis shows, and another axis has other numbers.
  function setX(x) { state.write({ x: x === "step" ? null : x, zoom: x === state.read("x", "step") ? state.read("zoom") : null }); }

  function another() {
    axis.value = state.read("x", "step");
    const now = () => (chosen().x === null || chosen().x === "epoch" ? [] : [chosen().x]);
    choose({ title: "Metric of the x axis", names: view.series(), now, none: "Step", change: ([path]) => setX(path === undefined ? "step" : SERIES + path) });
  }

  function chooseGroup() {
    choose({ title: "Group by", names: view.columns(), now: view.groupedBy, none: "Nothing", change: view.groupBy, isMany: true });
  }

  function update() {
    const now = chosen();
    if (document.activeElement !== search) search.value = now.search;
    updateAxes(now);
    if (document.activeElement !== amount) amount.value = now.smoothing;
    if (document.activeElement !== slider) slider.value = now.smoothing * 1000;
    log.set(now.isLog);
    trimmed.set(now.isTrimmed);
    band.set(now.band);
    const by = view.groupedBy();
    group.textContent = by.length === 0 ? "group by ..." : `group by ${by.map((path) => column(path).label).join(", ")}`;
    group.hidden = !view.isSeveral();
    spread.hidden = group.hidden || by.length === 0;
    band.element.hidden = !spread.hidden;
    spread.value = now.spread;
  }

  function updateAxes({ x }) {
    const own = x === null || x === "epoch" ? [] : [[SERIES + x, column(x).label]];
    const options = [...AXES, ...(view.hasEpoch() || x === "epoch" ? [["epoch", "epoch"]] : []), ...own, ["...", "another metric ..."]];
    const key = JSON.stringify(options);
    if (axis.dataset.options !== key) {
      axis.dataset.options = key;
      fill(axis, options.map(([value, text]) => h("option", { value }, text)));
    }
    const now = state.read("x", "step");
    axis.value = options.some(([value]) => value === now) ? now : "step";
  }

  update();
  return { element, update, search };
}

function toggle(text, title, change) {
  const box = h("input", { type: "checkbox", onchange: () => state.write(change(box.checked)) });
  return { element: h("label", { title }, box, text), set: (yes) => { box.checked = yes; } };
}
