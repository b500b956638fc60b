// The small drawings of the table: the eye of what is in the charts, and the line that an experiment has there.

import { styleOf } from "./palette.js";

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function eye() {
  return svg("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true", class: "eye-mark" },
    svg("path", { d: "M1 6 Q9 -3 17 6 Q9 15 1 6 Z", fill: "none", stroke: "currentColor", "stroke-width": 1.4 }),
    svg("circle", { cx: 9, cy: 6, r: 2.6, fill: "currentColor" }));
}

// The colour and the dashes of an experiment.
export function line(id) {
  const { color, dash } = styleOf(id);
  return svg("svg", { viewBox: "0 0 30 8", width: 30, height: 8, "aria-hidden": "true" },
    svg("line", { x1: 1, y1: 4, x2: 29, y2: 4, stroke: color, "stroke-width": 3, "stroke-dasharray": dash.join(" ") || "none" }));
}
