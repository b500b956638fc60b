// Many experiments in one picture: what the views of them have in common. They fetch columns, keep what the brushes have, colour by
// a column, and export what is drawn.
//
// In the address: ids, color (a column), own (each in its own colour), brush, log and linear (columns that somebody made so).

import { saveCsv, savePicture } from "./chart-export.js";
import { axisOf, isNumeric, textOf } from "./compare-axes.js";
import * as brushes from "./compare-brushes.js";
import { colorsOf, drawLegend, showLegend } from "./compare-colors.js";
import { Values } from "./compare-data.js";
import { pick } from "./compare-pick.js";
import * as propose from "./compare-propose.js";
import { Tip } from "./compare-tip.js";
import { css, fill, h, perFrame } from "./dom.js";
import { whenChanged } from "./keyed.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { attempt } from "./notice.js";
import { listText, readList, read, write } from "./state.js";

// Looking anew takes at most this share of the time.
const SHARE = 0.25;
// Rows of the list below the picture.
const LISTED = 200;
const LEGEND = 30;

// A view of many: `figure(page)` makes { element, tools, columns(), draw(), paint(pen, width, height), missing(), keys }.
export async function many(place, bar, figure) {
  await Promise.all(["/ui/chart.css", "/ui/compare-many.css"].map(css));
  const page = new Many(place, bar, figure);
  await page.load();
  return page;
}

class Many {
  constructor(place, bar, figure) {
    this.tip = new Tip();
    this.axes = new Map();
    this.redraw = perFrame(() => { if (!this.isClosed) this.draw(); });
    this.figure = figure(this);
    this.color = h("button", { title: "Colour by (c)", onclick: () => this.pickColor() });
    this.legend = h("span.legend");
    this.told = h("span.told.dim", { role: "status" });
    this.keep = h("button", { title: "Leave out all others", onclick: () => write({ ids: this.keptIds(), brush: null }, { push: true }) }, "Keep only these");
    this.side = h("a.button", { title: "Side by side" }, "Open in table");
    this.clear = h("button", { title: "Clear all brushes (0)", onclick: () => write({ brush: null }) }, "Clear brushes");
    this.exports = h("div.tools", h("button", { title: "A picture of what is drawn", onclick: () => attempt(() => this.savePng()) }, "PNG"),
      h("button", { title: "The values of what is kept", onclick: () => this.saveCsv() }, "CSV"));
    this.table = h("table");
    this.list = h("details.listed", { ontoggle: () => this.drawList() }, h("summary", "Values as a table"), h("div", { tabindex: 0, role: "region", "aria-label": "Values of what is kept" }, this.table));
    this.nothing = h("div.empty", { hidden: true });
    this.body = h("div.many", this.figure.element, this.list);
    fill(bar, this.figure.tools, this.color, this.legend, this.told, this.clear, this.keep, this.side, this.exports);
    fill(place, this.nothing, this.body);
    addEventListener("themechange", this.redraw);
    const size = new ResizeObserver(this.redraw);
    size.observe(this.figure.element);
    this.unbind = [keys.bind("c", "colour by", () => this.pickColor()), keys.bind("0", "clear all brushes", () => this.clear.click()),
      ...this.figure.keys.map(([key, what, work]) => keys.bind(key, what, work)), live.onChange(() => this.refresh()),
      () => removeEventListener("themechange", this.redraw), () => size.disconnect(), () => this.tip.close()];
  }

  close() {
    this.isClosed = true;
    for (const work of this.unbind) work();
  }

  update() {
    if (read("ids", "") !== this.ids) attempt(() => this.load());
    else attempt(() => this.fetch());
  }

  async load() {
    const text = read("ids", "");
    this.ids = text;
    const values = new Values([...new Set(readList("ids"))]);
    await values.start();
    await values.want(propose.parameters(values.known));
    if (text === this.ids) await this.take(values);
  }

  // Something was logged: what is drawn is fetched anew, and drawn anew if it differs.
  async refresh() {
    const [began, before] = [performance.now(), this.values];
    const values = await before?.anew([...before.columns.keys()]);
    if (values && this.values === before && !this.isClosed) await this.take(values);
    await new Promise((done) => setTimeout(done, (performance.now() - began) / SHARE));
  }

  async take(values) {
    this.values = values;
    this.rows = values.rows;
    await this.fetch();
  }

  // Fetches the columns that the address asks for, and draws.
  async fetch() {
    const values = this.values;
    if (values === undefined) return;
    await values.want(this.columns());
    if (values !== this.values || this.isClosed) return;
    this.axes.clear();
    this.draw();
  }

  columns() { return [...new Set([...this.figure.columns(), ...brushes.read().keys(), ...(this.colorBy() === null ? [] : [this.colorBy()])])]; }

  // The axis of a column that is here.
  axis(column) {
    const raw = this.values.columns.get(column);
    if (raw === undefined) return undefined;
    if (!this.axes.has(column)) {
      const wants = readList("log").includes(column) ? true : readList("linear").includes(column) ? false : undefined;
      this.axes.set(column, axisOf(column, raw, wants));
    }
    return this.axes.get(column);
  }

  toggleLog(column) {
    const isLog = this.axis(column).isLog;
    const without = (key) => readList(key).filter((one) => one !== column);
    write({ log: isLog ? without("log") : [...without("log"), column], linear: isLog ? [...without("linear"), column] : without("linear") });
  }

  colorBy() { return read("own") !== null ? null : read("color") ?? propose.metrics(this.values.known)[0] ?? null; }

  pickColor() {
    if (this.values === undefined) return;
    pick({ title: "Colour by", all: propose.choices(this.values), now: this.colorBy(), first: ["Each its own colour", () => write({ own: true, color: null })],
      choose: (column) => write({ own: null, color: column }) });
  }

  // The experiments that all brushes have, as ones of an array.
  kept(of = brushes.read()) { return brushes.kept(of, (column) => this.axis(column), this.rows.length); }
  keptIds() { const kept = this.kept(); return this.rows.filter((_row, place) => kept[place] === 1).map(({ id }) => id); }

  // What is missing before anything can be drawn, as [title, how to fill it], or null.
  missing() {
    const how = "Choose experiments in the table of a project by their eyes, then Compare.";
    if (this.rows.length === 0) return ["Nothing is compared", how];
    if (this.rows.length === 1) return ["One experiment has nothing beside it", how];
    return this.figure.missing();
  }

  draw() {
    // What asks for columns that are not here yet draws when they are.
    if (this.values === undefined || !this.columns().every((column) => this.values.columns.has(column))) return;
    const missing = this.missing();
    this.nothing.hidden = missing === null;
    this.body.hidden = missing !== null;
    for (const tool of [this.color, this.legend, this.exports]) tool.hidden = missing !== null;
    for (const tool of this.figure.tools) tool.hidden = this.rows.length < 2;
    const by = this.colorBy() === null ? null : this.axis(this.colorBy());
    const kept = this.kept();
    const count = kept.reduce((sum, one) => sum + one, 0);
    this.tell(count);
    if (missing !== null) { fill(this.nothing, h("h2", missing[0]), h("p", missing[1])); this.tip.hide(); return; }
    this.color.textContent = `Colour: ${by === null ? "own" : by.label}`;
    showLegend(this.legend, by);
    this.colors = colorsOf(by, this.rows);
    this.figure.draw(kept);
    this.drawList();
  }

  // How many are kept, and what is done with these.
  tell(count, number = brushes.read().size) {
    const all = this.rows.length;
    const lacking = readList("ids").length - all;
    const said = number > 0 ? `${count} of ${all} kept by ${number} ${number === 1 ? "brush" : "brushes"}` : `${all} ${all === 1 ? "experiment" : "experiments"}`;
    this.told.textContent = lacking > 0 ? `${said}; ${lacking} of the chosen are not there, or twice` : said;
    // They are there all the time, so that nothing moves when a brush begins.
    this.clear.disabled = number === 0;
    this.keep.disabled = count === 0 || count === all;
    this.side.href = `/compare?${new URLSearchParams({ ids: listText(this.keptIds()) })}`;
  }

  // What the cursor is at: a place among the rows, or null, and where on the screen.
  point(place, x = 0, y = 0) {
    this.at = place;
    if (place === null) this.tip.hide();
    else this.tip.show(this.rows[place], this.shown(), place, x, y);
  }

  // The axes of the tip, the list and the exports.
  shown() { return this.columns().map((column) => this.axis(column)).filter((axis) => axis !== undefined); }

  address(place) { return `/e/${encodeURIComponent(this.rows[place].id)}`; }

  drawList() {
    if (!this.list.open) return;
    const [axes, kept] = [this.shown(), this.kept()];
    const places = [...this.rows.keys()].filter((place) => kept[place] === 1);
    const cells = places.slice(0, LISTED).map((place) => [this.rows[place].id, this.rows[place].name, axes.map((axis) => textOf(axis, place))]);
    whenChanged(this.table, [axes.map(({ column }) => column), cells, places.length], () => fill(this.table,
      h("thead", h("tr", h("th", { scope: "col" }, "id"), h("th", { scope: "col" }, "name"), axes.map((axis) => h(isNumeric(axis) ? "th.number.cut" : "th.cut", { scope: "col", title: axis.column }, axis.label)))),
      h("tbody", cells.map(([id, name, texts]) => h("tr", h("td", h("a", { href: `/e/${encodeURIComponent(id)}` }, id)), h("td.cut", { title: name.slice(0, 2000) }, name.slice(0, 200)),
        texts.map(([text, full], place) => h(isNumeric(axes[place]) ? "td.number.cut" : "td.cut", { title: full }, text)))),
      places.length > LISTED && h("tfoot", h("tr", h("td.dim", { colspan: axes.length + 2 }, `and ${places.length - LISTED} more, which the CSV has`))))));
  }

  async savePng() {
    const { clientWidth: width, clientHeight: height } = this.figure.element;
    const style = getComputedStyle(this.figure.element);
    await savePicture(width, height + LEGEND, this.figure.title, (pen) => {
      pen.fillStyle = style.getPropertyValue("--ground").trim();
      pen.fillRect(0, 0, width, height + LEGEND);
      this.figure.paint(pen, width, height);
      const by = this.colorBy() === null ? null : this.axis(this.colorBy());
      drawLegend(pen, by === null ? "own" : by.label, by, 10, height + LEGEND / 2, style.getPropertyValue("--text").trim());
    });
  }

  saveCsv() {
    const [axes, kept] = [this.shown(), this.kept()];
    const rows = this.rows.map(({ id, name }, place) => [id, name, ...axes.map((axis) => (axis.raw[place] === null ? "" : axis.kind === "number" ? axis.numbers[place] : textOf(axis, place)[1]))]);
    saveCsv([["id", "name", ...axes.map(({ column }) => column)], ...rows.filter((_row, place) => kept[place] === 1)], this.figure.title);
  }
}

// The colours of the theme, for a canvas within `element`.
export function themeOf(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(["ground", "raised", "line", "dim", "text", "accent"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Gives a canvas the size of its element on this screen; its pen draws in pixels of the page.
export function penOf(canvas, width, height) {
  const density = devicePixelRatio;
  const [wide, high] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
