// A scatter plot of many experiments: any number against any other, how far their ranks go together, and which parameters do so most.
//
// In the address, besides what compare-many.js has there: x and y.

import { isNumeric, labelOf } from "./compare-axes.js";
import { many, penOf, themeOf } from "./compare-many.js";
import { pick } from "./compare-pick.js";
import * as propose from "./compare-propose.js";
import { FEWEST, rhoText, spearman } from "./compare-rank.js";
import { draw, has, layout, nearest, RADIUS } from "./compare-scatter-draw.js";
import { fill, h } from "./dom.js";
import { whenChanged } from "./keyed.js";
import * as state from "./state.js";

const REACH = 10;

export const open = (place, bar) => many(place, bar, (page) => new Scatter(page));

class Scatter {
  constructor(page) {
    this.page = page;
    this.title = "scatter";
    this.base = h("canvas", { "aria-hidden": "true" });
    this.over = h("canvas.cursor", { "aria-hidden": "true" });
    this.plot = h("div.plot", { tabindex: 0, role: "group", "aria-label": "Scatter plot: left and right go from point to point, Enter opens one" }, this.base, this.over);
    this.rank = h("span", { role: "status" });
    this.table = h("table", { "aria-label": "Rank correlation of each parameter" });
    this.heading = h("h3");
    this.about = h("p.dim");
    this.element = h("div.scatter", this.plot, h("aside", { "aria-label": "Rank correlation" }, this.heading, this.about, this.table));
    this.buttons = { x: h("button", { title: "What goes right (x)", onclick: () => this.pick("x") }), y: h("button", { title: "What goes up (y)", onclick: () => this.pick("y") }) };
    this.logs = { x: this.#log("x"), y: this.#log("y") };
    this.tools = [this.buttons.x, this.logs.x, this.buttons.y, this.logs.y, this.rank];
    this.keys = [["x", "what goes right", () => this.pick("x")], ["y", "what goes up", () => this.pick("y")]];
    this.listen();
  }

  #log(side) { return h("button", { title: `Logarithmic ${side}`, onclick: () => this.page.toggleLog(this.chosen(side)) }, "log"); }

  // The parameters that differ, all of whose values are numbers.
  parameters() { return propose.differing(this.page.values).filter((path) => isNumeric(this.page.axis(path))); }

  chosen(side) {
    const asked = state.read(side);
    if (asked !== null) return asked;
    const [set, measured] = [this.parameters(), propose.metrics(this.page.values.known)];
    const up = measured[0] ?? set[1] ?? null;
    return side === "y" ? up : [...set, ...measured].find((path) => path !== up) ?? up;
  }

  columns() { return [...new Set([this.chosen("x"), this.chosen("y")])].filter((column) => column !== null); }

  missing() {
    const [x, y] = ["x", "y"].map((side) => this.chosen(side));
    if (x === null || y === null) return ["There are no numbers to draw", "Metrics (log_metric) and parameters that are numbers and differ (log_params) are drawn here by themselves; others are chosen with x and y."];
    const bad = [x, y].find((column) => !isNumeric(this.page.axis(column)));
    return bad === undefined ? null : [`${labelOf(bad)} has no numbers here`, "Choose another with x or y."];
  }

  pick(side) {
    const { values } = this.page;
    if (values === undefined) return;
    const isOffered = (column) => { const axis = this.page.axis(column); return axis === undefined || isNumeric(axis); };
    pick({ title: side === "x" ? "What goes right" : "What goes up", all: propose.choices(values).filter(isOffered), now: this.chosen(side), choose: (column) => state.write({ [side]: column }) });
  }

  draw(kept) {
    this.kept = kept;
    const [x, y] = ["x", "y"].map((side) => this.page.axis(this.chosen(side)));
    for (const [side, axis] of [["x", x], ["y", y]]) {
      this.buttons[side].textContent = `${side}: ${axis.label}`;
      this.logs[side].hidden = !axis.canLog;
      this.logs[side].setAttribute("aria-pressed", axis.isLog);
      this.logs[side].setAttribute("aria-label", `${side} logarithmic`);
    }
    this.picture = layout(x, y, this.plot.clientWidth, this.plot.clientHeight);
    this.paintBase();
    this.paintOver();
    this.tellRank(x, y);
    this.drawImportance(y);
  }

  paintBase() {
    const { width, height } = this.picture;
    if (width === 0) return;
    const began = performance.now();
    draw(penOf(this.base, width, height), this.picture, this.kept, this.page.colors, themeOf(this.plot));
    this.plot.dataset.drawn = (performance.now() - began).toFixed(1);
  }

  paintOver() {
    const { picture, page } = this;
    if (!picture || picture.width === 0) return;
    const pen = penOf(this.over, picture.width, picture.height);
    const place = page.at ?? null;
    if (place === null || place >= page.rows.length || !has(picture, place)) return;
    pen.lineWidth = 2;
    pen.strokeStyle = themeOf(this.plot).text;
    pen.beginPath();
    pen.arc(picture.xs[place], picture.ys[place], RADIUS + 2, 0, 2 * Math.PI);
    pen.stroke();
  }

  paint(pen, width, height) {
    const plot = layout(this.picture.x, this.picture.y, width, height);
    draw(pen, plot, this.kept, this.page.colors, themeOf(this.plot));
  }

  tellRank(x, y) {
    const { rho, count } = spearman(x.numbers, y.numbers, this.kept);
    const of = this.kept.reduce((sum, one) => sum + one, 0);
    const those = count === of ? `${count} experiments` : `${count} of ${of} kept, the others lack x or y`;
    this.rank.textContent = rho === null ? `no rank correlation: ${count < FEWEST ? `only ${those}` : "one side does not differ"}` : `Spearman ${rhoText(rho)} of ${those}: rank correlation, not cause`;
    this.rank.title = "How far the order by x is the order by y, from \u22121 to +1";
  }

  // Of each parameter that is a number, how far its order is that of y.
  drawImportance(y) {
    const all = this.parameters().filter((path) => path !== y.column).map((path) => ({ path, ...spearman(this.page.axis(path).numbers, y.numbers, this.kept) }));
    const ranked = all.filter(({ rho }) => rho !== null).sort((one, other) => Math.abs(other.rho) - Math.abs(one.rho));
    const now = this.chosen("x");
    whenChanged(this.table, [ranked, now, y.column], () => {
      this.heading.textContent = `Parameters beside ${y.label}`;
      this.about.textContent = ranked.length === 0 ? "No parameter is a number and differs in three experiments that have y."
        : `Spearman's rank correlation with y, the strongest first, each of the experiments that have both. It is correlation, not cause${ranked.length < all.length ? `; ${all.length - ranked.length} without enough values are left out` : ""}.`;
      const focused = document.activeElement?.closest?.("[data-path]")?.dataset.path;
      fill(this.table, ranked.length > 0 && [h("thead", h("tr", h("th", { scope: "col" }, "parameter"), h("th", { scope: "col" }, h("span.unseen", "strength")), h("th.number", { scope: "col" }, "rank corr"), h("th.number", { scope: "col", title: "experiments" }, "of"))),
        h("tbody", ranked.map((one) => this.ranked(one, now)))]);
      if (focused !== undefined) this.table.querySelector(`[data-path="${CSS.escape(focused)}"] button`)?.focus({ preventScroll: true });
    });
  }

  ranked({ path, rho, count }, now) {
    const bar = h(rho < 0 ? "span.bar.less" : "span.bar", { "aria-hidden": "true" });
    bar.style.width = `${Math.abs(rho) * 100}%`;
    const row = h(path === now ? "tr.now" : "tr", h("td", h("button.bare.cut", { title: `${path}: put it on x`, onclick: () => state.write({ x: path }) }, labelOf(path))),
      h("td", bar), h("td.number", { title: String(rho) }, rhoText(rho)), h("td.number", count));
    row.dataset.path = path;
    return row;
  }

  listen() {
    const { plot } = this;
    const at = (event) => {
      const box = plot.getBoundingClientRect();
      return this.picture ? nearest(this.picture, this.kept, event.clientX - box.left, event.clientY - box.top, REACH) : null;
    };
    plot.addEventListener("pointermove", (event) => {
      const place = at(event);
      plot.style.cursor = place === null ? "default" : "pointer";
      this.point(place, event.clientX, event.clientY);
    });
    plot.addEventListener("pointerleave", () => this.point(null));
    plot.addEventListener("blur", () => this.point(null));
    plot.addEventListener("click", (event) => { const place = at(event); if (place !== null) state.go(this.page.address(place)); });
    plot.addEventListener("keydown", (event) => this.key(event));
  }

  point(place, x, y) {
    if (place === null && (this.page.at ?? null) === null) return;
    this.page.point(place, x, y);
    this.paintOver();
  }

  // From point to point, in the order of x.
  key(event) {
    const now = this.page.at ?? null;
    if (event.key === "Enter" && now !== null) { event.preventDefault(); state.go(this.page.address(now)); return; }
    if (event.key === "Escape") { this.point(null); return; }
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined || !this.picture) return;
    event.preventDefault();
    const { xs, ys } = this.picture;
    const places = [...xs.keys()].filter((place) => this.kept[place] === 1 && has(this.picture, place)).sort((one, other) => xs[one] - xs[other] || ys[other] - ys[one]);
    if (places.length === 0) return;
    const index = places.indexOf(now);
    const next = places[index < 0 ? (by > 0 ? 0 : places.length - 1) : (index + by + places.length) % places.length];
    const box = this.plot.getBoundingClientRect();
    this.point(next, box.left + xs[next], box.top + ys[next]);
  }
}
