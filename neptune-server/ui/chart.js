// A line chart on a canvas.
//
//   const chart = new Chart(host, { title, axis, smoothing, isLog, band, isTrimmed, onZoom, onLog, onFull });
//   chart.setSeries([{ key, label, style: { color, dash }, start, overview, window }]);
//
// `overview` is one item of the answer of POST /api/v1/overviews for the whole series, and `window`, if there is one, for the steps
// that the chart is zoomed to: `onZoom({ x, y })` asks for it, where each is [from, to] or null. `start` is when the experiment was
// made, in seconds, which is where relative time begins. `set` changes options later. `close` ends it.

import * as cursors from "./chart-cursor.js";
import * as axes from "./chart-axes.js";
import * as shape from "./chart-data.js";
import { draw, line } from "./chart-draw.js";
import { saveCsv, savePng, saveSvg } from "./chart-export.js";
import { steer } from "./chart-pointer.js";
import { css, fill, h, perFrame, settled } from "./dom.js";
import * as format from "./format.js";

css("/ui/chart.css");

const NAMES = { step: "step", relative: "time since the start", wall: "time" };
const DEFAULTS = { title: "", axis: "step", smoothing: 0, isLog: false, band: true, isTrimmed: false, zoom: { x: null, y: null }, onZoom: () => {}, onLog: null, onFull: () => {} };

// Overviews as columns: most stay the same when a chart is given its series again.
const converted = new WeakMap();

function columnsOf(overview) {
  if (!converted.has(overview)) converted.set(overview, shape.columns(overview));
  return converted.get(overview);
}

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

  setSeries(series) {
    this.series = series;
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
    const { axis, smoothing } = this.options;
    this.lines = this.series.filter(({ overview }) => overview.count.length > 0).map(({ key, label, style, start, overview, window = null }) => {
      const whole = columnsOf(overview);
      const pieces = shape.spliced(whole, window === null ? null : columnsOf(window));
      const data = axis === "step" ? pieces : shape.inOrderOfTime(pieces);
      const placed = shape.onAxis(data, axis, Math.min(start ?? Infinity, data.firstTime[0]));
      return {
        key, label, style, whole, data, axis: placed, extremes: shape.extremes(data, placed),
        isBucketed: data.count.some((count) => count > 1), smooth: smoothing > 0 ? shape.smoothed(data.mean, smoothing) : null,
      };
    });
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
      act("Save as CSV", () => saveCsv(this.rows(), this.options.title), "What is seen, in the pieces in which it is drawn")));
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
    const nameX = [NAMES[options.axis], ticksX.common].filter(Boolean).join(", ");
    return { width, height, plot, colors, scaleX, scaleY, ticksX, ticksY, nameX, lines, options, density: devicePixelRatio };
  }

  #extent() {
    let [from, to] = [Infinity, -Infinity];
    for (const { axis, data } of this.lines) {
      from = Math.min(from, axis.left[0]);
      to = Math.max(to, axis.right[data.length - 1]);
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
    this.#caption.textContent = this.lines.length === 0 ? "" : this.#density();
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

  // How much of the data is seen.
  #density() {
    const { scaleX, plot } = this.picture;
    let most = 1, isWhole = true;
    for (const { data, axis } of this.lines) {
      let points = 0;
      const from = shape.firstFrom(axis.right, scaleX.least);
      let end = from;
      for (; end < data.length && axis.left[end] <= scaleX.greatest; end += 1) {
        points += data.count[end];
        if (data.count[end] > 1) isWhole = false;
      }
      if (end === from) continue;
      const [left, right] = [Math.max(scaleX.least, axis.left[from]), Math.min(scaleX.greatest, axis.right[end - 1])];
      const pixels = Math.max(1, Math.min(plot.width, (right - left) * scaleX.factor));
      most = Math.max(most, points / pixels);
    }
    if (isWhole) return "raw points";
    return `about ${most < 10 ? Number(most.toPrecision(2)) : Math.round(most)} points per pixel`;
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
    const lit = highlighted === null || lines.length < 2 ? undefined : lines.find(({ key }) => key === highlighted);
    if (lit !== undefined) line(pen, lit, this.picture, true);
    const isHere = x !== null && cursors.cursor.source.options.axis === this.options.axis && x >= scaleX.least && x <= scaleX.greatest;
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
      const at = shape.nearest(one.axis.x, cursors.cursor.x);
      const value = one.smooth?.[at] ?? one.data.mean[at];
      if (!Number.isFinite(value)) continue;
      pen.beginPath();
      pen.arc(scaleX.at(one.axis.x[at]), scaleY.at(value), 3.5, 0, 2 * Math.PI);
      pen.fillStyle = one.style.color;
      pen.fill();
    }
  }

  // What each line has at `x`, and how far from `y` it is drawn.
  valuesAt(x, y) {
    const { scaleY } = this.picture;
    return this.lines.map(({ key, label, style, data, axis, smooth }) => {
      const at = shape.nearest(axis.x, x);
      const value = data.count[at] > 1 && Number.isFinite(data.mean[at]) ? data.mean[at] : data.first[at];
      const shown = smooth === null ? value : smooth[at];
      const away = Number.isFinite(shown) ? Math.abs(scaleY.at(shown) - y) : Infinity;
      return {
        key, label, style, value, smoothed: smooth === null ? null : smooth[at], shown, count: data.count[at], minimum: data.minimum[at], maximum: data.maximum[at],
        step: data.firstStep[at], time: data.firstTime[at], distance: Number.isFinite(away) ? away : 1e9,
      };
    });
  }

  // A place on the axis in words.
  textOf(x) {
    if (this.options.axis === "wall") return format.time(x * 1e6);
    return this.options.axis === "relative" ? `${format.duration(x)} since the start` : `step ${format.number(x)}`;
  }

  // Where the lines have points, for the keyboard.
  stops() {
    const { scaleX } = this.picture;
    const longest = this.lines.reduce((best, one) => (best === null || one.data.length > best.data.length ? one : best), null);
    return longest === null ? [] : longest.axis.x.filter((x) => x >= scaleX.least && x <= scaleX.greatest);
  }

  // The steps of a line between two places of the axis, or null.
  stepsOf(key, window) {
    const found = this.lines.find((one) => one.key === key);
    return found === undefined ? null : shape.stepsWithin(found, window);
  }

  // What is seen, in rows for CSV.
  rows() {
    const { scaleX } = this.#picture();
    const time = (seconds) => format.utc(seconds * 1e6);
    return this.lines.flatMap(({ label, data, axis, smooth }) => {
      const rows = [];
      for (let at = shape.firstFrom(axis.right, scaleX.least); at < data.length && axis.left[at] <= scaleX.greatest; at += 1) {
        const figures = [data.first, data.last, data.minimum, data.maximum, data.mean].map((column) => column[at]);
        const bare = (value) => (value === undefined ? "" : format.plain(value));
        rows.push([label, data.firstStep[at], data.lastStep[at], time(data.firstTime[at]), time(data.lastTime[at]), data.count[at], data.nonfinite[at], ...figures.map(bare), bare(smooth?.[at])]);
      }
      return rows;
    });
  }

  // The same as a table, for those who do not see the picture.
  #summarize() {
    const cells = ({ label, whole: data }) => {
      const points = data.count.reduce((sum, count) => sum + count, 0);
      const [least, greatest] = [data.minimum, data.maximum].map((column, which) => column.reduce((best, value) => (value === value && (which === 0 ? value < best : value > best) ? value : best), which === 0 ? Infinity : -Infinity));
      return [label, points, least, greatest, data.last[data.length - 1], data.lastStep[data.length - 1]].map((value) => (typeof value === "number" ? format.number(value) : value));
    };
    fill(this.#summary, h("table", h("caption", `${this.options.title} by ${NAMES[this.options.axis]}`),
      h("thead", h("tr", ["series", "points", "minimum", "maximum", "last", "last step"].map((name) => h("th", name)))),
      h("tbody", this.lines.slice(0, 100).map((one) => h("tr", cells(one).map((text) => h("td", text)))))));
  }
}
