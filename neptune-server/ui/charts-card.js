// One chart of a page of charts: empty until it is seen, then fed with the overviews of its path for all experiments.

import { Chart } from "./chart.js";
import { ask } from "./charts-feed.js";
import { h } from "./dom.js";

// Pieces in all lines of a chart: more lines are drawn in fewer pieces each, so that a hundred of them still come at once.
const PIECES = 60_000;

// Pieces for each pixel of a window: so many points are soon drawn one by one.
const WINDOW = 2;

export class Card {
  #turn = 0;
  #zoomTurn = 0;
  #whole = new Map();
  #windows = new Map();

  // `view` has `experiments()`, a list of `{ id, label, style, start }`, `options(path)`, and `zoomed(path, zoom)`.
  constructor(path, title, view) {
    Object.assign(this, { path, title, view, chart: null, isSeen: false, isLoaded: false });
    this.element = h("div.chart-card", { "data-path": path }, h("div.waiting.dim", title));
  }

  see(isSeen) {
    this.isSeen = isSeen;
    if (!isSeen || this.isLoaded) return;
    this.isLoaded = true;
    this.open();
    this.load(this.view.experiments().map(({ id }) => id)).catch((error) => this.chart?.set({ empty: error.message }));
  }

  open() {
    if (this.chart !== null) return;
    this.element.replaceChildren();
    this.chart = new Chart(this.element, {
      title: this.title, empty: "", ...this.view.options(this.path),
      onZoom: (zoom) => { this.view.zoomed(this.path, zoom); this.loadWindow(); },
      onLog: () => this.view.toggleLog(this.path), onFull: (isFull) => { this.view.full(this.path, isFull); this.sharpen(); },
    });
    this.chart.onTheme(() => this.show());
  }

  close() {
    this.chart?.close();
    this.chart = null;
  }

  // In how many pieces a line is asked for, of as many pixels as there are or more.
  pieces(share = 1) {
    const each = Math.min(this.chart.width * share, Math.max(150, PIECES / Math.max(1, this.view.experiments().length)));
    return Math.ceil(each / 100) * 100;
  }

  // Asks again for these experiments.
  async load(ids) {
    this.#turn += 1;
    const turn = this.#turn;
    this.bucketsOfWhole = this.pieces();
    const found = await ask(ids.map((experiment) => ({ experiment, path: this.path })), this.bucketsOfWhole);
    if (this.chart === null) return;
    ids.forEach((id, place) => this.#whole.set(id, found[place]));
    if (turn !== this.#turn) return;
    this.chart.set({ empty: "no points" });
    this.show();
    await this.loadWindow();
  }

  // Asks for what the chart is zoomed to, so finely as it is seen.
  async loadWindow() {
    this.#zoomTurn += 1;
    const turn = this.#zoomTurn;
    const window = this.chart.options.zoom.x;
    if (window === null) {
      if (this.#windows.size === 0) return;
      this.#windows.clear();
      this.show();
      return;
    }
    const wanted = this.view.experiments().map(({ id }) => ({ id, steps: this.chart.stepsOf(id, window) })).filter(({ steps }) => steps !== null);
    const found = await ask(wanted.map(({ id, steps: [from, to] }) => ({ experiment: id, path: this.path, from, to })), this.pieces(WINDOW));
    if (turn !== this.#zoomTurn || this.chart === null) return;
    this.#windows = new Map(wanted.map(({ id }, place) => [id, found[place]]));
    this.show();
  }

  // A larger chart has room for more.
  sharpen() {
    requestAnimationFrame(() => { if (this.chart !== null && this.pieces() > this.bucketsOfWhole) this.load(this.view.experiments().map(({ id }) => id)).catch(() => {}); });
  }

  // Draws what was found, for the experiments that are shown now; asks for those it does not know.
  show() {
    if (this.chart === null) return;
    const experiments = this.view.experiments();
    const known = experiments.filter(({ id }) => this.#whole.has(id));
    this.chart.setSeries(known.map(({ id, label, style, start }) => ({ key: id, label, style: style(), start, overview: this.#whole.get(id), window: this.#windows.get(id) ?? null })));
  }

  restyle() {
    if (this.chart === null) return;
    const before = this.chart.options.zoom.x;
    this.chart.set(this.view.options(this.path));
    if (String(before) !== String(this.chart.options.zoom.x)) this.loadWindow().catch(() => {});
  }

  async setExperiments() {
    if (this.chart === null || !this.isLoaded) return;
    const missing = this.view.experiments().map(({ id }) => id).filter((id) => !this.#whole.has(id));
    this.show();
    if (missing.length > 0) await this.load(missing);
  }
}
