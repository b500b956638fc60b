// One chart of a page of charts: empty until it is seen, then fed with the overviews of its path for all experiments.

import { memory, stepsBefore, stepsWithin } from "./chart-data.js";
import { columnsOf } from "./chart-lines.js";
import { stepsFor } from "./chart-series.js";
import { Chart } from "./chart.js";
import { ask } from "./charts-feed.js";
import { h } from "./dom.js";

// Pieces in all lines of a chart: more lines are drawn in fewer pieces each, so that a hundred of them still come at once.
const PIECES = 40_000;

// Pieces for each pixel of a window: so many points are soon drawn one by one.
const WINDOW = 2;

// A window is asked for again, in narrower steps, so often at most: on an axis that is not that of steps, what was found tells better where it ends.
const ROUNDS = 3;

// A chart that is out of sight for so long lets go of its data.
export const away = { milliseconds: 60_000 };

export class Card {
  #turn = 0;
  #zoomTurn = 0;
  #whole = new Map();
  #windows = new Map();
  #xPath = null;
  #rest = 0;

  // `view` has `experiments()`, a list of `{ id, label, style, start, group }`, `options(path)`, `xOf(path)`, and `zoomed(path, zoom)`.
  constructor(path, title, view) {
    Object.assign(this, { path, title, view, chart: null, isSeen: false, isLoaded: false });
    this.element = h("div.chart-card", { "data-path": path });
    this.#wait();
  }

  see(isSeen) {
    this.isSeen = isSeen;
    clearTimeout(this.#rest);
    if (!isSeen) this.#rest = setTimeout(() => this.#letGo(), away.milliseconds);
    if (!isSeen || this.isLoaded) return;
    this.isLoaded = true;
    this.open();
    this.#loadAll();
  }

  open() {
    if (this.chart !== null) return;
    this.element.replaceChildren();
    this.chart = new Chart(this.element, {
      title: this.title, empty: "", ...this.view.options(this.path),
      onZoom: (zoom) => { this.view.zoomed(this.path, zoom); this.loadWindow().catch(() => {}); },
      onLog: () => this.view.toggleLog(this.path), onFull: (isFull) => { this.view.full(this.path, isFull); this.sharpen(); },
    });
    this.chart.onTheme(() => this.show());
  }

  close() {
    clearTimeout(this.#rest);
    this.chart?.close();
    this.chart = null;
  }

  #wait() { this.element.replaceChildren(h("div.waiting.dim", this.title)); }

  // It comes back when it is seen again, as the address says.
  #letGo() {
    if (this.chart === null || this.element.querySelector(".full, :focus") !== null) return;
    this.close();
    this.#whole.clear();
    this.#windows.clear();
    this.isLoaded = false;
    this.#turn += 1;
    this.#wait();
  }

  // In how many pieces a line is asked for, of as many pixels as there are or more.
  pieces(share = 1) {
    const each = Math.min(this.chart.width * share, Math.max(150, PIECES / Math.max(1, this.view.experiments().length)));
    return Math.ceil(each / 100) * 100;
  }

  #loadAll() { return this.load(this.view.experiments().map(({ id }) => id)).catch((error) => this.chart?.set({ empty: error.message })); }

  // Asks again for these experiments.
  async load(wanted) {
    this.#turn += 1;
    const turn = this.#turn;
    const xPath = this.view.xOf(this.path);
    const ids = xPath === this.#xPath ? wanted : this.view.experiments().map(({ id }) => id);
    this.bucketsOfWhole = this.pieces();
    const paths = xPath === null ? [this.path] : [this.path, xPath];
    const found = await ask(paths.flatMap((path) => ids.map((experiment) => ({ experiment, path }))), this.bucketsOfWhole);
    if (this.chart === null) return;
    if (xPath !== this.#xPath) { if (turn !== this.#turn) return; this.#whole.clear(); this.#windows.clear(); this.#xPath = xPath; }
    ids.forEach((id, place) => this.#whole.set(id, { y: found[place], x: xPath === null ? null : found[ids.length + place] }));
    if (turn !== this.#turn) return;
    this.show({ ...this.view.options(this.path), empty: "no points" });
    await this.loadWindow();
  }

  // Asks for what the chart is zoomed to, so finely as it is seen.
  async loadWindow() {
    this.#zoomTurn += 1;
    const turn = this.#zoomTurn;
    const window = this.chart?.options.zoom.x ?? null;
    if (window === null) {
      if (this.#windows.size === 0) return;
      this.#windows.clear();
      this.show();
      return;
    }
    let before = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const asked = this.view.experiments().map(({ id }) => ({ id, ranges: this.#ranges(id, window) })).filter(({ ranges }) => ranges.length > 0);
      const width = asked.reduce((sum, { ranges }) => sum + ranges.reduce((steps, { from, to }) => steps + to - from, 0), 0);
      if (width > before / 2 || asked.length === 0) return;
      before = width;
      const found = await this.#askFor(asked);
      if (turn !== this.#zoomTurn || this.chart === null) return;
      this.#windows = found;
      this.show();
    }
  }

  // The steps of an experiment that are in the window of the axis; where lines are smoothed, with those before that weigh on them.
  #ranges(id, window) {
    const member = this.chart.member(id);
    if (member === undefined || member.data.length === 0) return [];
    const within = stepsWithin(member, window);
    const history = within.map(({ at }) => stepsBefore(member.data, at, memory(this.chart.options.smoothing)));
    return [...history.filter((range) => range !== null), ...within];
  }

  async #askFor(asked) {
    const wanted = asked.flatMap(({ id, ranges }) => ranges.map(({ from, to }) => ({ experiment: id, path: this.path, from, to })));
    const others = this.#xPath === null ? [] : wanted.map(({ experiment, from, to }) => {
      const range = stepsFor(columnsOf(this.#whole.get(experiment).x), from, to) ?? { from, to };
      return { experiment, path: this.#xPath, ...range };
    });
    const most = Math.max(...asked.map(({ ranges }) => ranges.length));
    const found = await ask([...wanted, ...others], Math.ceil(this.pieces(WINDOW) / Math.ceil(most / 2)));
    const windows = new Map(asked.map(({ id }) => [id, { y: [], x: [] }]));
    wanted.forEach(({ experiment }, at) => {
      windows.get(experiment).y.push(found[at]);
      if (others.length > 0) windows.get(experiment).x.push(found[wanted.length + at]);
    });
    return windows;
  }

  // A larger chart has room for more.
  sharpen() {
    requestAnimationFrame(() => { if (this.chart !== null && this.pieces() > this.bucketsOfWhole) this.#loadAll(); });
  }

  // Draws what was found, for the experiments that are shown now.
  show(options = {}) {
    if (this.chart === null) return;
    const known = this.view.experiments().filter(({ id }) => this.#whole.has(id));
    this.chart.setSeries(known.map(({ id, label, style, start, group }) => {
      const [whole, windows] = [this.#whole.get(id), this.#windows.get(id)];
      return { key: id, label, style: style(), start, group, overview: whole.y, windows: windows?.y, x: whole.x === null ? null : { overview: whole.x, windows: windows?.x } };
    }), options);
  }

  restyle() {
    if (this.chart === null) return;
    if (this.view.xOf(this.path) !== this.#xPath) {
      if (this.isSeen) this.#loadAll(); else this.isLoaded = false;
      return;
    }
    const before = this.chart.options;
    const [zoom, smoothing] = [String(before.zoom.x), before.smoothing];
    this.chart.set(this.view.options(this.path));
    if (zoom !== String(this.chart.options.zoom.x) || (smoothing !== this.chart.options.smoothing && this.chart.options.zoom.x !== null)) this.loadWindow().catch(() => {});
  }

  async setExperiments() {
    if (this.chart === null || !this.isLoaded) return;
    const missing = this.view.experiments().map(({ id }) => id).filter((id) => !this.#whole.has(id));
    this.show();
    if (missing.length > 0) await this.load(missing);
  }
}
