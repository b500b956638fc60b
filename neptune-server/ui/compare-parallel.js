// Parallel coordinates of many experiments: their lines, brushes and axes.
//
// In the address, besides what compare-many.js has there: axes.

import { axisDialog } from "./compare-axis.js";
import * as brushes from "./compare-brushes.js";
import { follow } from "./compare-drag.js";
import { heads } from "./compare-heads.js";
import { many, penOf, themeOf } from "./compare-many.js";
import { draw, layout, nearest, SIDE, TOP, trace } from "./compare-parallel-draw.js";
import * as propose from "./compare-propose.js";
import { h, perFrame } from "./dom.js";
import { chooseColumns } from "./runs-choose.js";
import * as state from "./state.js";

// Nearer to an axis than this the mouse is at the axis, and nearer to a line it is at the line.
const [AT_AXIS, AT_LINE] = [12, 8];
const STILL = 4;
const NARROW = 96;
const HEAD = 46;

export const open = (place, bar) => many(place, bar, (page) => new Parallel(page));

class Parallel {
  constructor(page) {
    this.page = page;
    this.title = "parallel-coordinates";
    this.base = h("canvas", { "aria-hidden": "true" });
    this.over = h("canvas.cursor", { "aria-hidden": "true" });
    this.plot = h("div.plot", { tabindex: 0, role: "group", "aria-label": "Parallel coordinates: up and down go from experiment to experiment, Enter opens one; drag on an axis to brush it, or press its name" }, this.base, this.over);
    this.heads = heads({ order: () => this.order(), drag: (column, x) => this.drag(column, x), move: (columns) => state.write({ axes: columns }), log: (column) => page.toggleLog(column), open: (column) => this.more(column) });
    this.inner = h("div.inner", this.heads.element, this.plot);
    this.element = h("div.parallel", this.inner);
    this.tools = [h("button", { title: "Choose axes (a)", onclick: () => this.choose() }, "Axes")];
    this.keys = [["a", "choose axes", () => this.choose()]];
    this.dragged = null;
    this.brushing = null;
    this.redraw = perFrame(() => this.paintBase());
    this.listen();
  }

  columns() { return state.read("axes") === null ? propose.axes(this.page.values) : [...new Set(state.readList("axes"))]; }

  missing() {
    const [values, columns] = [this.page.values, this.columns()];
    if (columns.length > 0) return null;
    if (propose.parameters(values.known).length > 0) return ["Nothing differs", "These experiments have the same parameters and no metric. Parameters that differ and metrics that were logged become axes by themselves; others are chosen with Axes."];
    return ["There is nothing to draw yet", "Parameters (log_params) and metrics (log_metric) of these experiments become axes by themselves."];
  }

  choose() {
    const { values } = this.page;
    if (values === undefined) return;
    const all = propose.choices(values);
    chooseColumns({ title: "Axes", now: () => this.columns(), all, change: (columns) => state.write({ axes: columns }) });
  }

  // What can be done with an axis besides dragging.
  more(column) {
    const brush = brushes.read().get(column);
    axisDialog(this.page.axis(column), brush, this.picture.below, {
      brush: (next) => this.brush(column, next), log: () => this.page.toggleLog(column), color: () => state.write({ own: null, color: column }),
      remove: () => state.write({ axes: this.columns().filter((one) => one !== column) }),
      move: (by) => {
        const columns = this.columns();
        const from = columns.indexOf(column);
        columns.splice(Math.max(0, from + by), 0, ...columns.splice(from, 1));
        state.write({ axes: columns });
      },
    });
  }

  brush(column, next) {
    const now = brushes.read();
    now.delete(column);
    if (next !== null) now.set(column, next);
    brushes.write(now);
  }

  draw(kept) {
    this.kept = kept;
    this.arrange();
    this.paintBase();
    this.paintOver();
  }

  arrange() {
    const axes = this.columns().map((column) => this.page.axis(column));
    this.inner.style.minWidth = `${NARROW * axes.length}px`;
    const { clientWidth: width, clientHeight: height } = this.plot;
    this.picture = layout(axes, width, height);
    if (this.dragged !== null) this.picture.xs = this.whileDragged(axes);
    const { picture } = this;
    this.heads.show(axes.map(({ column, label, canLog, isLog }, at) => ({ column, label, canLog, isLog, common: picture.rules[at].common, x: picture.xs[at] })), axes.length > 1 ? Math.min(2 * SIDE - 4, picture.gap - 4) : 240);
  }

  // The axis that is dragged is where the mouse is, the others stand in the order that this makes.
  whileDragged(axes) {
    const at = axes.findIndex(({ column }) => column === this.dragged.column);
    const slots = this.picture.xs;
    if (at < 0) return slots;
    const x = Math.max(slots[0], Math.min(slots.at(-1), this.dragged.x));
    const slot = slots.reduce((best, one, place) => (Math.abs(one - x) < Math.abs(slots[best] - x) ? place : best), 0);
    const others = [...axes.keys()].filter((one) => one !== at);
    others.splice(slot, 0, at);
    this.dragged.order = others.map((one) => axes[one].column);
    return axes.map((_axis, one) => (one === at ? x : slots[others.indexOf(one)]));
  }

  order() { return [...(this.dragged?.order ?? this.columns())]; }

  drag(column, x) {
    this.dragged = column === null ? null : { column, x };
    this.arrange();
    this.redraw();
  }

  now() { return this.brushing === null ? brushes.read() : this.brushing.all; }

  paintBase() {
    if (!this.picture || this.picture.width === 0) return;
    const began = performance.now();
    const { width, height } = this.picture;
    draw(penOf(this.base, width, height), this.picture, this.kept, this.page.colors, this.now(), themeOf(this.plot));
    this.plot.dataset.drawn = (performance.now() - began).toFixed(1);
  }

  // The line of the experiment at the cursor.
  paintOver() {
    const { picture, page } = this;
    if (!picture || picture.width === 0) return;
    const pen = penOf(this.over, picture.width, picture.height);
    if (page.at === null || page.at === undefined || page.at >= page.rows.length) return;
    const theme = themeOf(this.plot);
    for (const [width, color] of [[7, theme.ground], [3.5, theme.text], [2, page.colors[page.at]]]) {
      pen.lineWidth = width;
      pen.strokeStyle = color;
      trace(pen, picture, page.at);
    }
  }

  // Draws into a picture of its own, with the names of the axes above.
  paint(pen, width, height) {
    const axes = this.columns().map((column) => this.page.axis(column));
    const theme = themeOf(this.plot);
    const picture = layout(axes, width, height, TOP + HEAD);
    draw(pen, picture, this.kept, this.page.colors, brushes.read(), theme);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = theme.text;
    axes.forEach(({ label, isLog }, at) => pen.fillText(`${label}${isLog ? " (log)" : ""}`, picture.xs[at], HEAD / 2, Math.max(60, picture.gap - 8)));
  }

  listen() {
    const { plot } = this;
    plot.addEventListener("pointermove", (event) => this.over_(event));
    plot.addEventListener("pointerleave", () => this.point(null));
    plot.addEventListener("pointerdown", (event) => this.press(event));
    plot.addEventListener("click", (event) => this.click(event));
    plot.addEventListener("dblclick", (event) => { const at = this.axisAt(this.where(event).x); if (at !== null) this.brush(this.picture.axes[at].column, null); });
    plot.addEventListener("keydown", (event) => this.key(event));
    plot.addEventListener("blur", () => this.point(null));
  }

  where(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  axisAt(x) {
    const at = this.picture.xs.findIndex((one) => Math.abs(one - x) <= AT_AXIS);
    return at < 0 ? null : at;
  }

  point(place, x, y) {
    if (place === (this.page.at ?? null) && place === null) return;
    this.page.point(place, x, y);
    this.paintOver();
  }

  over_(event) {
    if (!this.picture || this.brushing !== null) return;
    const { x, y } = this.where(event);
    const isAtAxis = this.axisAt(x) !== null;
    const place = nearest(this.picture, this.kept, x, y, AT_LINE);
    this.plot.style.cursor = isAtAxis ? "ns-resize" : place !== null ? "pointer" : "default";
    this.point(place, event.clientX, event.clientY);
  }

  press(event) {
    this.isDrag = false;
    if (event.button !== 0 || !this.picture) return;
    const { x, y: from } = this.where(event);
    const at = this.axisAt(x);
    if (at === null) return;
    const { column } = this.picture.axes[at];
    const before = brushes.read();
    follow((now) => {
      const { y } = this.where(now);
      if (this.brushing === null && Math.abs(y - from) < STILL) return;
      this.isDrag = true;
      this.point(null);
      const next = brushes.between(this.picture.axes[at], this.picture.rules[at].scale, this.picture, from, y);
      const all = new Map(before);
      if (next === null) all.delete(column); else all.set(column, next);
      this.brushing = { all };
      this.kept = this.page.kept(all);
      this.page.tell(this.kept.reduce((sum, one) => sum + one, 0), all.size);
      this.redraw();
    }, () => {
      const all = this.brushing?.all;
      this.brushing = null;
      if (all !== undefined) brushes.write(all);
    });
  }

  click(event) {
    const { x, y } = this.where(event);
    if (!this.picture || this.isDrag || this.axisAt(x) !== null) return;
    const place = nearest(this.picture, this.kept, x, y, AT_LINE);
    if (place !== null) state.go(this.page.address(place));
  }

  key(event) {
    if (event.key === "Enter" && (this.page.at ?? null) !== null) { event.preventDefault(); state.go(this.page.address(this.page.at)); return; }
    if (event.key === "Escape") { this.point(null); return; }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const places = [...this.kept.keys()].filter((place) => this.kept[place] === 1);
    if (places.length === 0) return;
    const now = places.indexOf(this.page.at ?? -1);
    const next = places[now < 0 ? (by > 0 ? 0 : places.length - 1) : (now + by + places.length) % places.length];
    const box = this.plot.getBoundingClientRect();
    this.point(next, box.right - 40, box.top);
  }
}
