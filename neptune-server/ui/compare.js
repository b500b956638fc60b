// Experiments beside each other: in a table, in parallel coordinates, or in a scatter plot. Which of these is `view` in the address.

import { css, fill, h } from "./dom.js";
import * as keys from "./keys.js";
import { attempt } from "./notice.js";
import * as state from "./state.js";

// Each is a module with `open(place, bar)`, which returns { update, close }.
const VIEWS = [
  ["table", "Table", () => import("./compare-table.js")],
  ["parallel", "Parallel", () => import("./compare-parallel.js")],
  ["scatter", "Scatter", () => import("./compare-scatter.js")],
];

export async function show(place) {
  await Promise.all(["/ui/experiments.css", "/ui/compare.css"].map(css));
  const page = new Page(place);
  await page.open();
  return page;
}

class Page {
  constructor(place) {
    this.where = [h("a", { href: "/" }, "projects"), h("span", "compare")];
    this.buttons = VIEWS.map(([name, text], at) => h("button", { title: `${text} (${at + 1})`, onclick: () => this.choose(name) }, text));
    this.bar = h("div.tools.own");
    this.body = h("div.view");
    fill(place, h("div.compare", h("div.tools.above", h("div.tools.choice", { role: "group", "aria-label": "View" }, this.buttons), this.bar), this.body));
    this.unbind = VIEWS.map(([name, text], at) => keys.bind(String(at + 1), text.toLowerCase(), () => this.choose(name)));
    this.view = null;
    this.turn = 0;
  }

  choose(name) { state.write({ view: name === "table" ? null : name }, { push: true }); }

  // The view that the address asks for.
  wanted() { return VIEWS.find(([name]) => name === state.read("view", "table")) ?? VIEWS[0]; }

  async open() {
    const [name, , load] = this.wanted();
    this.turn += 1;
    const own = this.turn;
    this.name = name;
    this.view?.close();
    this.view = null;
    this.buttons.forEach((button, at) => button.setAttribute("aria-pressed", VIEWS[at][0] === name));
    // Each has a place of its own, so that one that comes late fills nothing that is shown.
    const [body, bar] = [h("div.view"), h("div.tools.own")];
    this.body.replaceWith(body);
    this.bar.replaceWith(bar);
    [this.body, this.bar] = [body, bar];
    const { open } = await load();
    if (own !== this.turn) return;
    const view = await open(body, bar);
    if (own === this.turn) this.view = view; else view.close();
  }

  update() {
    if (this.wanted()[0] !== this.name) attempt(() => this.open());
    else this.view?.update();
  }

  close() {
    this.turn += 1;
    this.view?.close();
    for (const work of this.unbind) work();
  }
}
