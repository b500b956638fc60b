// The table beside the cursor that says what one experiment has.

import { fill, h } from "./dom.js";
import { textOf } from "./compare-axes.js";
import { line } from "./runs-marks.js";

const AWAY = 14;

export class Tip {
  constructor() { this.element = document.body.appendChild(h("div.chart-tip", { hidden: true, role: "status" })); }

  // Of the experiment `row` at `place`, its values on these axes.
  show({ id, name }, axes, place, x, y) {
    const rows = axes.map((axis) => {
      const [text, full] = textOf(axis, place);
      return h("tr", h("td.cut", { title: axis.column }, axis.label), h("td.number.cut", { title: full }, text));
    });
    fill(this.element, h("div.head", h("span", line(id), " ", h("strong", id)), h("span.dim.cut", name.slice(0, 80))), h("table", h("tbody", rows)));
    this.element.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.element;
    this.element.style.left = `${x + AWAY + width < innerWidth ? x + AWAY : Math.max(0, x - AWAY - width)}px`;
    this.element.style.top = `${Math.max(0, Math.min(y + AWAY, innerHeight - height - 4))}px`;
  }

  hide() { this.element.hidden = true; }
  close() { this.element.remove(); }
}
