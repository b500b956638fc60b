// The controls of all charts of a page. What they say is in the address: `x`, `smooth`, `log`, `outliers`, `band`, `charts`.

import { h, settled } from "./dom.js";
import * as state from "./state.js";

const AXES = [["step", "step"], ["relative", "relative time"], ["wall", "wall time"]];

// What the address says of all charts.
export function chosen() {
  const axis = state.read("x", "step");
  const smoothing = Number(state.read("smooth", "0"));
  return {
    axis: AXES.some(([name]) => name === axis) ? axis : "step", smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : 0,
    isLog: state.read("log") === "1", isTrimmed: state.read("outliers") === "0", band: state.read("band") !== "0", search: state.read("charts", ""),
  };
}

export function bar() {
  const write = settled(120, state.write);
  const search = h("input", { type: "search", placeholder: "Charts: train & !grad", "aria-label": "Search charts by regular expression", title: "A regular expression; a & !b finds what has a and not b", oninput: () => write({ charts: search.value }) });
  const axis = h("select", { "aria-label": "x axis", onchange: () => state.write({ x: axis.value === "step" ? null : axis.value }) }, AXES.map(([value, text]) => h("option", { value }, text)));
  const slider = h("input", { type: "range", min: 0, max: 999, step: 1, "aria-label": "Smoothing", title: "Exponential moving average; each point, or piece of points, is one step of it", oninput: () => { amount.value = slider.value / 1000; smooth(); } });
  const amount = h("input", { type: "number", min: 0, max: 0.999, step: 0.01, "aria-label": "Smoothing, as a number", oninput: () => { slider.value = amount.value * 1000; smooth(); } });
  const smooth = () => write({ smooth: Number(amount.value) > 0 ? Math.min(0.999, Number(amount.value)) : null });
  const log = toggle("log y", "Logarithmic y axes", (yes) => ({ log: yes }));
  const trimmed = toggle("ignore outliers", "y axes from the 5th to the 95th hundredth of what is seen", (yes) => ({ outliers: yes ? "0" : null }));
  const band = toggle("band", "Where a piece has several points: their mean, and a band from the least to the greatest. Without it, a line through them all", (yes) => ({ band: yes ? null : "0" }));
  const element = h("div.tools.charts-bar", { role: "toolbar", "aria-label": "Charts" }, search, h("label", "x", axis), h("label", "smoothing", slider, amount), log.element, trimmed.element, band.element);

  function update() {
    const now = chosen();
    if (document.activeElement !== search) search.value = now.search;
    axis.value = now.axis;
    if (document.activeElement !== amount) amount.value = now.smoothing;
    if (document.activeElement !== slider) slider.value = now.smoothing * 1000;
    log.set(now.isLog);
    trimmed.set(now.isTrimmed);
    band.set(now.band);
  }
  update();
  return { element, update, search };
}

function toggle(text, title, change) {
  const box = h("input", { type: "checkbox", onchange: () => state.write(change(box.checked)) });
  return { element: h("label", { title }, box, text), set: (yes) => { box.checked = yes; } };
}
