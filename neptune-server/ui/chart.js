// A line chart on a canvas.
//
//   const chart = new Chart(host, { title, axis, nameX, smoothing, spread, isLog, band, isTrimmed, onZoom, onLog, onFull });
//   chart.setSeries([{ key, label, style: { color, dash }, start, overview, windows, x: { overview, windows }, group: { key, label, style, size } }]);
//
// `overview` is one item of the answer of POST /api/v1/overviews for the whole series, and `windows`, if there are any, for the
// steps that the chart is zoomed to: `onZoom({ x, y })` asks for them, where each is [from, to] or null. `x` is the series, called
// `nameX`, whose values are the axis if `axis` is "series". `start` is when the experiment was made, in seconds, which is where
// relative time begins. Series with a `group` are drawn as the mean of it. `set` changes options later. `close` ends it.

import * as cursors from "./chart-cursor.js";
import * as axes from "./chart-axes.js";
import * as shape from "./chart-data.js";
import { draw, line } from "./chart-draw.js";
import { saveCsv, savePng, saveSvg } from "./chart-export.js";
import { grouped, linesOf } from "./chart-lines.js";
import { steer } from "./chart-pointer.js";
import { rowsOf, summaryOf, told } from "./chart-table.js";
import { css, fill, h, perFrame, settled } from "./dom.js";
import * as format from "./format.js";

css("/ui/chart.css");

const NAMES = { step: "step", relative: "time since the start", wall: "time" };
const DEFAULTS = { title: "", axis: "step", nameX: "", smoothing: 0, spread: "range", isLog: false, band: true, isTrimmed: false, zoom: { x: null, y: null }, onZoom: () => {}, onLog: null, onFull: () => {} };

export class Chart {
  #canvas = h("canvas");
  #overlay = h("canvas.cursor");
  #caption = h("span.caption.dim");
  #note = h("div.note");
  #summary = h("div.unseen");
  #observer;
  #unsteer;
  #redraw = perFrame(() => this.draw());
  #describe = settled(400, () => this.#summarize());
  #onTheme = () => { this.#restyle?.(); this.redraw(); };
  #restyle = null;

  constructor(host, options = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.series = [];
    this.members = [];
    this.lines = [];
    this.picture = null;
    this.selection = null;
    this.spoken = h("output.unseen", { "aria-live": "polite" });
    this.plot = h("div.plot", { tabindex: 0, role: "group", "aria-roledescription": "line chart", "aria-label": this.options.title }, this.#canvas, this.#overlay, this.#note);
    this.element = h("figure.chart", this.#header(), this.plot, this.#summary, this.spoken);
    host.append(this.element);
    this.#observer = new ResizeObserver(this.#redraw);
    this.#observer.observe(this.plot);
    this.#unsteer = steer(this);
    addEventListener("themechange", this.#onTheme);
    cursors.join(this);
  }

  close() {
    cursors.leave(this);
    this.#observer.disconnect();
    this.#unsteer();
    removeEventListener("themechange", this.#onTheme);
    this.element.remove();
  }

  // Calls `work` before the chart is drawn in another theme, so that the owner can give other colours.
  onTheme(work) { this.#restyle = work; }

  setSeries(series, options = {}) {
    this.series = series;
    Object.assign(this.options, options);
    this.#prepare();
  }

  set(options) {
    Object.assign(this.options, options);
    this.#prepare();
  }

  // How many pixels wide the lines are drawn: so many buckets are worth asking for.
  get width() { return Math.max(100, this.plot.clientWidth - 60); }

  redraw() { this.#redraw(); }

  zoom(x, y = this.options.zoom.y) {
    this.options.zoom = { x, y };
    this.redraw();
    this.options.onZoom(this.options.zoom);
  }

  toggleFull() {
    const isFull = this.element.classList.toggle("full");
    this.plot.focus();
    this.options.onFull(isFull);
  }

  #prepare() {
    this.members = linesOf(this.series, this.options);
    const isGrouped = this.members.some(({ group }) => group !== null);
    this.lines = isGrouped ? grouped(this.members, this.options.spread) : this.members.filter(({ data }) => data.length > 0);
    this.redraw();
  }

  #header() {
    const act = (text, work, title = null) => h("button", { title, onclick: () => { menu.open = false; work(); } }, text);
    const named = () => this.lines.filter(() => this.lines.length > 1 && this.lines.length <= 100);
    const log = this.options.onLog === null ? null : act("Logarithmic y", () => this.options.onLog());
    const menu = h("details.menu", h("summary", { "aria-label": `Menu of ${this.options.title}` }, "\u22ef"), h("div",
      log, act("Reset zoom", () => this.zoom(null, null), "Double click"),
      act("Full screen", () => this.toggleFull(), "f"),
      act("Save as PNG", () => savePng((top) => this.#picture(top), this.options.title, named())),
      act("Save as SVG", () => saveSvg((top) => this.#picture(top), this.options.title, named())),
      act("Save as CSV", () => saveCsv(rowsOf(this.lines, this.#picture().scaleX), this.options.title), "What is seen, in the pieces in which it is drawn")));
    menu.addEventListener("toggle", () => log?.setAttribute("aria-pressed", String(this.options.isLog)));
    menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
    return h("header", h("h3.cut", { title: this.options.title }, this.options.title), this.#caption, menu);
  }

  // What to draw and where; `top` leaves room above.
  #picture(top = 0) {
    const [width, height] = [this.plot.clientWidth, this.plot.clientHeight + top];
    const { options, lines } = this;
    const style = getComputedStyle(this.element);
    const colors = Object.fromEntries(["ground", "line", "dim", "text", "accent"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const x = options.zoom.x ?? this.#extent();
    const found = shape.range(lines, x, options);
    const [least, greatest] = options.zoom.y ?? axes.roomy(...found, options.isLog);
    const plot = { left: 52, right: Math.max(60, width - 10), top: 8 + top, bottom: Math.max(40, height - 36) };
    plot.width = plot.right - plot.left;
    plot.height = plot.bottom - plot.top;
    const isLog = options.isLog && least > 0;
    const scaleX = axes.scale(x[0], x[1], plot.left, plot.right);
    const scaleY = axes.scale(least, greatest, plot.bottom, plot.top, isLog);
    const ticksX = axes.ticks(options.axis, scaleX, plot.width / 90);
    const ticksY = axes.ticks("value", scaleY, Math.min(12, plot.height / 34));
    const nameX = [this.nameX, ticksX.common].filter(Boolean).join(", ");
    return { width, height, plot, colors, scaleX, scaleY, ticksX, ticksY, nameX, lines, options, density: devicePixelRatio };
  }

  get nameX() { return NAMES[this.options.axis] ?? this.options.nameX; }

  #extent() {
    let [from, to] = [Infinity, -Infinity];
    for (const { axis, data } of this.lines) {
      for (const column of axis.isFolded ? [axis.left, axis.right] : [[axis.left[0], axis.right[data.length - 1]]]) {
        for (const x of column) { if (x < from) from = x; if (x > to) to = x; }
      }
    }
    if (from > to) return [0, 1];
    return from === to ? axes.roomy(from, to, false) : [from, to];
  }

  draw() {
    if (this.plot.clientWidth === 0) return;
    const began = performance.now();
    this.picture = this.#picture();
    draw(this.#pen(this.#canvas), this.picture);
    this.drawCursor();
    this.drawMilliseconds = performance.now() - began;
    fill(this.#note, this.lines.length === 0 ? this.options.empty ?? "" : "");
    this.#caption.textContent = told(this.members, this.lines, this.picture, this.nameX);
    this.#caption.title = this.#caption.textContent;
    this.#describe();
  }

  #pen(canvas) {
    const { width, height, density } = this.picture;
    if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  drawCursor() {
    if (this.picture === null) return;
    const pen = this.#pen(this.#overlay);
    const { plot, scaleX, colors, lines } = this.picture;
    const { x, highlighted } = cursors.cursor;
    pen.save();
    pen.beginPath();
    pen.rect(plot.left, plot.top, plot.width, plot.height);
    pen.clip();
    const of = this.members.find(({ key }) => key === highlighted)?.group?.key ?? highlighted;
    const lit = highlighted === null || lines.length < 2 ? undefined : lines.find(({ key }) => key === of);
    if (lit !== undefined) line(pen, lit, this.picture, true);
    const isHere = x !== null && cursors.cursor.source.options.axis === this.options.axis && cursors.cursor.source.nameX === this.nameX && x >= scaleX.least && x <= scaleX.greatest;
    if (isHere) this.#cross(pen, scaleX.at(x), lit);
    if (this.selection !== null) {
      const { left, top, width, height } = this.selection;
      pen.globalAlpha = 0.15;
      pen.fillStyle = colors.accent;
      pen.fillRect(left, top, width, height);
    }
    pen.restore();
  }

  #cross(pen, place, lit) {
    const { plot, scaleY, scaleX, colors, lines } = this.picture;
    pen.strokeStyle = colors.dim;
    pen.lineWidth = 1;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(place, plot.top);
    pen.lineTo(place, plot.bottom);
    pen.stroke();
    pen.setLineDash([]);
    for (const one of lines.length <= 20 ? lines : lit === undefined ? [] : [lit]) {
      const at = shape.nearest(one.axis.x, cursors.cursor.x, one.axis.isFolded);
      const value = one.smooth?.[at] ?? one.data.mean[at];
      if (!Number.isFinite(value)) continue;
      pen.beginPath();
      pen.arc(scaleX.at((one.smooth === null ? one.axis.x : one.axis.right)[at]), scaleY.at(value), 3.5, 0, 2 * Math.PI);
      pen.fillStyle = one.style.color;
      pen.fill();
    }
  }

  // What each line has at `x`, and how far from `y` it is drawn.
  valuesAt(x, y) {
    const { scaleY } = this.picture;
    return this.lines.map(({ key, label, style, size, data, axis, smooth }) => {
      const at = shape.nearest(axis.x, x, axis.isFolded);
      const value = size !== undefined ? data.mean[at] : data.count[at] > 1 && Number.isFinite(data.mean[at]) ? data.mean[at] : data.first[at];
      const shown = smooth === null ? value : smooth[at];
      const away = Number.isFinite(shown) ? Math.abs(scaleY.at(shown) - y) : Infinity;
      return {
        key, label, style, size, value, smoothed: smooth === null ? null : smooth[at], shown, count: data.count[at], minimum: data.minimum[at], maximum: data.maximum[at],
        lost: [data.nonfinite[at] - data.positive[at] - data.negative[at], data.positive[at], data.negative[at]], step: data.firstStep[at], time: size === undefined ? data.firstTime[at] : null, distance: Number.isFinite(away) ? away : 1e9,
      };
    });
  }

  // A place on the axis in words.
  textOf(x) {
    if (this.options.axis === "wall") return format.time(x * 1e6);
    return this.options.axis === "relative" ? `${format.duration(x)} since the start` : `${this.nameX} ${format.number(x)}`;
  }

  // Where the lines have points, for the keyboard.
  stops() {
    const { scaleX } = this.picture;
    const longest = this.lines.reduce((best, one) => (best === null || one.data.length > best.data.length ? one : best), null);
    if (longest === null) return [];
    const stops = longest.axis.x.filter((x) => x >= scaleX.least && x <= scaleX.greatest);
    return longest.axis.isFolded ? stops.sort() : stops;
  }

  // What each series is drawn from, by its key.
  member(key) { return this.members.find((one) => one.key === key); }

  // The same as a table, for those who do not see the picture.
  #summarize() { fill(this.#summary, summaryOf(this.lines, `${this.options.title} by ${this.nameX}`)); }
}
