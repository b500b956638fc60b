// Experiments side by side: variables in rows, experiments in columns, and what differs between them.
//
// In the address: ids, ref (the one that the others are held against), all (also what is the same), find, closed and open.

import { fill, h, settled } from "./dom.js";
import * as format from "./format.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { attempt } from "./notice.js";
import { matcher } from "./search.js";
import * as state from "./state.js";
import { delta, fetchAll, sections } from "./compare-rows.js";
import { line } from "./runs-marks.js";

// The most experiments that stand side by side.
const MOST = 50;
// Rows of a section that are laid out at once.
const PAGE = 300;
const SHOWN = 300;
const IN_TITLE = 4000;
// Looking anew takes at most this share of the time.
const SHARE = 0.25;

export async function open(place, bar) {
  const page = new Page(place, bar);
  await page.load();
  return page;
}

class Page {
  constructor(place, bar) {
    this.experiments = [];
    this.more = new Map();
    this.at = null;
    this.search = h("input", { type: "search", placeholder: "Variables: loss & !val", "aria-label": "Search variables (/)", value: state.read("find", ""),
      oninput: settled(100, () => state.write({ find: this.search.value })) });
    this.only = h("button", { title: "Leave out what is the same everywhere", onclick: () => state.write({ all: state.read("all") === null }) }, "Only differences");
    this.told = h("span.dim", { role: "status" });
    this.charts = h("a.button", "Charts");
    this.table = h("table");
    this.scroller = h("div.sides", { tabindex: 0, role: "region", "aria-label": "Variables side by side: n and p go to the next and the last difference" }, this.table);
    fill(bar, this.search, this.only, h("button", { title: "Next difference (n)", onclick: () => this.jump(1) }, "\u2193 Next"),
      h("button", { title: "Difference before (p)", onclick: () => this.jump(-1) }, "\u2191 Before"), this.told, this.charts);
    fill(place, this.scroller);
    const recolor = () => this.draw();
    addEventListener("themechange", recolor);
    this.unbind = [keys.bind("/", "search variables", () => this.search.focus()), keys.bind("n", "the next difference", () => this.jump(1)),
      keys.bind("p", "the difference before", () => this.jump(-1)), keys.bind("d", "only differences", () => this.only.click()),
      live.onChange(() => this.refresh()), () => removeEventListener("themechange", recolor)];
  }

  close() { for (const work of this.unbind) work(); }

  update() {
    if (state.read("ids", "") !== this.ids) attempt(() => this.load());
    else this.draw();
  }

  async load() {
    const text = state.read("ids", "");
    this.ids = text;
    const experiments = await fetchAll(state.readList("ids").slice(0, MOST));
    if (text !== this.ids) return;
    this.experiments = experiments;
    this.draw();
  }

  // Something was logged: only experiments that run have changed, or what people say about the others.
  async refresh() {
    const began = performance.now();
    await this.load();
    await new Promise((done) => setTimeout(done, (performance.now() - began) / SHARE));
  }

  reference() { return Math.max(0, this.experiments.findIndex(({ id }) => id === state.read("ref"))); }

  draw() {
    const [isAll, has] = [state.read("all") !== null, matcher(state.read("find", ""))];
    this.only.setAttribute("aria-pressed", !isAll);
    if (document.activeElement !== this.search) this.search.value = state.read("find", "");
    if (this.experiments.length === 0) {
      fill(this.scroller, h("div.empty", h("h2", "Nothing is compared"), h("p", "Choose experiments in the table of a project by their eyes, then Compare.")));
      return;
    }
    const found = sections(this.experiments).map((section) => ({ ...section, rows: section.rows.filter((row) => has(row.path)) }));
    const differing = found.flatMap(({ rows }) => rows.filter((row) => row.differs)).length;
    const all = found.reduce((sum, { rows }) => sum + rows.length, 0);
    const left = state.readList("ids").length - MOST;
    this.told.textContent = `${differing} ${differing === 1 ? "difference" : "differences"}, ${all - differing} the same${left > 0 ? `; the first ${MOST} of ${MOST + left} experiments, all of which Parallel and Scatter have` : ""}`;
    const projects = new Set(this.experiments.map(({ project }) => project));
    this.charts.hidden = projects.size !== 1;
    this.charts.href = `/p/${[...projects][0].split("/").map(encodeURIComponent).join("/")}?${new URLSearchParams({ eye: state.listText(this.experiments.map(({ id }) => id)), view: "charts" })}`;
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    const bodies = found.map((section) => this.section(section, isAll)).filter((body) => body !== null);
    fill(this.table, this.head(), bodies);
    if (bodies.length === 0) fill(this.table, this.head(), h("tbody", h("tr", h("td", { colspan: this.experiments.length + 1 }, h("div.empty", all === 0 ? "No variable matches" : "Nothing differs")))));
    if (focused !== undefined) this.table.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    this.mark();
  }

  head() {
    const reference = this.reference();
    const columns = this.experiments.map((one, place) => {
      const choose = h("button.bare", { "aria-pressed": String(place === reference), title: "Hold the others against this one", onclick: () => state.write({ ref: one.id }) }, "reference");
      choose.dataset.key = `reference ${one.id}`;
      const rest = this.experiments.filter((other) => other !== one).map(({ id }) => id);
      return h("th", { scope: "col" }, h("div.who", line(one.id), h("a", { href: `/e/${encodeURIComponent(one.id)}` }, one.id),
        h("button.bare", { "aria-label": `Leave ${one.id} out`, title: "Leave out", onclick: () => state.write({ ids: rest }, { push: true }) }, "\u2715")),
      h("div.cut", { title: one.name ?? "" }, one.name ?? ""), h("div.tools", one.state !== null && h("span.state", { "data-state": one.state }, one.state), choose));
    });
    return h("thead", h("tr", h("th", { scope: "col" }, "variable"), columns));
  }

  section({ name, rows, isLast }, isAll) {
    const shown = isAll ? rows : rows.filter((row) => row.differs);
    if (shown.length === 0) return null;
    const isOpen = isLast && state.read("find", "") === "" ? state.readList("open").includes(name) : !state.readList("closed").includes(name);
    const key = isLast && state.read("find", "") === "" ? "open" : "closed";
    const turn = h("button.bare", { "aria-expanded": String(isOpen), onclick: () => {
      const list = state.readList(key);
      state.write({ [key]: list.includes(name) ? list.filter((one) => one !== name) : [...list, name] });
    } }, isOpen ? "\u25be " : "\u25b8 ", h("b", name || "(top)"), h("span.dim", shown.length));
    turn.dataset.key = `section ${name}`;
    const body = h("tbody", h("tr.section", h("th", { scope: "rowgroup", colspan: this.experiments.length + 1 }, turn)));
    if (!isOpen) return body;
    const most = this.more.get(name) ?? PAGE;
    for (const row of shown.slice(0, most)) body.append(this.row(row, name));
    if (shown.length > most) {
      body.append(h("tr", h("td", { colspan: this.experiments.length + 1 }, h("button", { onclick: () => { this.more.set(name, most + 10 * PAGE); this.draw(); } }, `${shown.length - most} more`))));
    }
    return body;
  }

  row({ path, cells, differs }, section) {
    const reference = cells[this.reference()];
    const element = h(differs ? "tr.differs" : "tr", h("th", { scope: "row", title: path }, h("div.cut", section === "" ? path : path.slice(section.length + 1))),
      cells.map((variable) => cell(variable, variable === reference ? undefined : reference)));
    element.dataset.path = path;
    return element;
  }

  // Goes to the next row that differs, or the one before.
  jump(by) {
    const rows = [...this.table.querySelectorAll("tr.differs")];
    if (rows.length === 0) return;
    const now = rows.findIndex((row) => row.dataset.path === this.at);
    const next = rows[now < 0 ? (by > 0 ? 0 : rows.length - 1) : (now + by + rows.length) % rows.length];
    this.at = next.dataset.path;
    this.mark();
    next.scrollIntoView({ block: "center" });
    this.scroller.focus({ preventScroll: true });
  }

  mark() {
    this.table.querySelector("tr.at")?.classList.remove("at");
    if (this.at !== null) this.table.querySelector(`tr[data-path="${CSS.escape(this.at)}"]`)?.classList.add("at");
  }
}

function cell(variable, reference) {
  if (variable === undefined) return h("td.dim", { title: "It is not there" }, "\u2013");
  const { value, series } = variable;
  const text = format.value(value);
  const title = [typeof value === "number" ? String(value) : text.slice(0, IN_TITLE), series && `last of ${series.count}, at step ${format.number(Number(series.last_step))}`,
    series && series.minimum !== null && `from ${series.minimum} to ${series.maximum}`].filter(Boolean).join("\n");
  const by = reference === undefined ? null : delta(variable, reference);
  return h("td", { title }, h("span.value", text.slice(0, SHOWN)), by && h(by.isMore ? "span.delta.more" : "span.delta", { title: by.title }, by.text));
}
