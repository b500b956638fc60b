// The experiments of a project: the home of work. The query bar, the table, and the charts of those that are looked at.
//
// What is shown is in the address: q, sort, columns, format, differ, group, eye, trash, view, split.

import { h, css, fill } from "./dom.js";
import { snippet } from "./empty.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { attempt } from "./notice.js";
import * as state from "./state.js";
import { bulkBar, compareAddress, compareAll, saveCsv } from "./runs-bulk.js";
import { chartsPane } from "./runs-charts.js";
import { chooseColumns } from "./runs-choose.js";
import * as columnsOf from "./runs-columns.js";
import { Groups } from "./runs-groups.js";
import { filterOf, isQuery, queryBar } from "./runs-query.js";
import { Rows } from "./runs-rows.js";
import { split } from "./runs-split.js";
import { runsTable } from "./runs-table.js";
import { viewsMenu } from "./runs-views.js";

// So many of the first experiments are in the charts until somebody chooses.
const SHOWN_FIRST = 5;
const VIEWS = ["table", "charts", "split"];
// How long somebody who types may stop before a query is called wrong, in milliseconds.
const PATIENCE = 1000;
// How often it is looked whether there are new variables, in milliseconds.
const PATHS_EVERY = 10000;
// Looking anew takes at most this share of the time, and at most so many milliseconds pass before it happens again.
const SHARE = 0.25;
const REST = 5000;
// Where a table was scrolled to, by its address, for coming back to it.
const places = new Map();

export async function show(place, [project]) {
  await css("/ui/experiments.css");
  const page = new Page(place, project);
  await page.start();
  return page;
}

class Page {
  constructor(place, project) {
    this.place = place;
    this.project = project;
    ({ known: this.known, proposed: this.proposed } = columnsOf.remembered(project));
    this.differing = null;
    this.source = null;
    this.asked = null;
    this.at = null;
    this.last = null;
    this.where = [h("a", { href: "/" }, "projects"), h("span", project)];
    this.build();
    this.bind();
  }

  build() {
    this.bar = queryBar({
      names: () => [...(this.known?.keys() ?? [])],
      ask: (text, isDone) => this.ask(text, isDone),
    });
    this.table = runsTable({
      toggle: (id, isRange) => this.toggle(id, isRange),
      toggleAll: () => state.write({ eye: this.eyes().length > 0 ? "none" : null }),
      sort: (path, isAlso) => this.sortBy(path, isAlso),
      move: (path, before) => this.moveColumn(path, (rest) => rest.indexOf(before)),
      write: (path, style) => this.writeColumn(path, style),
      shift: (path, by) => this.moveColumn(path, (_rest, now) => now + by),
      openGroup: (key) => { this.source.toggle(key); this.table.draw(); },
      at: (id) => { this.at = id; this.table.show({ at: id }); },
    });
    this.bulk = bulkBar({ ids: () => this.eyes(), changed: (areGone) => this.changed(areGone), exportRows: (ids) => this.save(ids) });
    this.charts = chartsPane();
    this.split = split(h("section.left", { "aria-label": "Table" }, this.table.element, this.bulk.element), this.charts.element,
      (percent) => state.write({ split: Math.round(percent) }));
    this.menu = viewsMenu(this.project);
    this.views = VIEWS.map((view, index) => h("button", { title: `${view} (${index + 1})`, onclick: () => this.view(view) }, view));
    this.count = h("span.count.dim", { role: "status" });
    this.differ = h("button", { title: "Leave out columns in which the experiments are the same", onclick: () => state.write({ differ: state.read("differ") === null }) }, "Only columns that differ");
    this.group = h("select", { "aria-label": "Group by", onchange: () => state.write({ group: this.group.value }, { push: true }) });
    this.trash = h("button", { onclick: () => state.write({ trash: state.read("trash") === null, eye: null }, { push: true }) }, "Show trash");
    this.empty = h("div.nothing", { hidden: true });
    fill(this.place, h("div.experiments", this.bar.element,
      h("div.tools.above", h("div.tools.choice", { role: "group", "aria-label": "View" }, this.views), this.count,
        h("button", { onclick: () => this.choose() }, "Columns"), this.differ, h("label", h("span.dim", "group by"), this.group),
        h("button", { title: "All rows that match, in parallel coordinates or a scatter plot", onclick: () => attempt(() => compareAll(this.wanted())) }, "Compare all"),
        h("button", { title: "All rows that match and the columns that are shown, as CSV", onclick: () => this.save([]) }, "Export CSV"),
        this.trash, this.menu.element),
      this.empty, this.split.element));
  }

  bind() {
    const recolor = () => this.table.recolor();
    addEventListener("themechange", recolor);
    this.unbind = [
      keys.bind("/", "write a query", () => this.bar.focus()),
      keys.bind("j", "the next experiment", () => this.step(1)),
      keys.bind("k", "the experiment before", () => this.step(-1)),
      keys.bind("x", "in the charts or not", () => { if (this.at !== null) this.toggle(this.at, false); }),
      keys.bind("c", "compare what is in the charts", () => { if (this.eyes().length > 1) state.go(compareAddress(this.eyes())); }),
      ...VIEWS.map((view, index) => keys.bind(String(index + 1), view, () => this.view(view))),
      () => removeEventListener("themechange", recolor),
      () => this.menu.close(), () => this.table.close(), () => this.charts.close(),
    ];
    this.table.element.addEventListener("keydown", (event) => this.inTable(event));
  }

  async start() {
    const first = this.load();
    const paths = this.learn();
    await first;
    paths.catch((error) => console.warn(error.message));
    const kept = places.get(location.pathname + location.search);
    if (kept !== undefined) this.table.top(kept);
    this.unbind.push(live.onChange(() => this.refresh()));
  }

  close() {
    this.isClosed = true;
    places.set(this.last, this.table.top());
    for (const work of this.unbind) work();
    this.source?.close();
  }

  // The address has changed.
  update() {
    if (this.query() !== this.asked) attempt(() => this.load());
    else this.draw();
  }

  // Something was done to the experiments in the charts; those that are gone from the table are not looked at any more.
  changed(areGone) {
    if (areGone) state.write({ eye: null });
    return attempt(() => this.refresh());
  }

  ask(text, isDone) {
    this.isTyping = !isDone;
    if (text !== state.read("q", "")) state.write({ q: text }, { push: isDone });
    else if (isDone) attempt(() => this.load());
  }

  query() { return JSON.stringify(["q", "sort", "group", "trash"].map((key) => state.read(key, ""))); }

  wanted() {
    const text = state.read("q", "");
    const filter = filterOf(text);
    const isTrash = state.read("trash") !== null;
    const all = isTrash ? `\`sys/trashed\` = true${filter && ` AND (${filter})`}` : filter;
    return { project: this.project, filter: all, sort: state.readList("sort") };
  }

  // Asks for the experiments of the address. What was shown stays until they are here.
  async load() {
    const asked = this.query();
    this.asked = asked;
    const wanted = this.wanted();
    const by = state.read("group");
    const arrived = (error) => { if (source === this.source) { if (error) this.bar.problem(error.message); else this.draw(); } };
    const source = by === null ? new Rows(wanted, arrived) : new Groups(wanted, by, arrived);
    try {
      const { paths } = this.table.seen();
      await source.refresh(0, 1, paths);
      if (asked !== this.asked) return;
      this.source?.close();
      this.source = source;
      this.bar.problem(null);
      this.differing = null;
      this.table.element.scrollTop = 0;
      this.draw();
    } catch (error) {
      if (asked !== this.asked || error.name === "AbortError") return;
      if (state.read("q", "") === "" && this.source === null) throw error;
      // Half a query is wrong, which need not be said while it is typed.
      setTimeout(() => { if (asked === this.asked) this.bar.problem(error.message); }, this.isTyping ? PATIENCE : 0);
      if (this.source === null) this.draw();
    }
  }

  // Something was logged: what is on the screen is fetched anew.
  async refresh() {
    const source = this.source;
    if (source === null) { await this.load(); return; }
    const began = performance.now();
    const { first, last, paths } = this.table.seen();
    try {
      await source.refresh(first, Math.max(first, last), paths);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
    if (source !== this.source || this.isClosed) return;
    this.draw();
    if (performance.now() > this.next) this.learn().catch((error) => console.warn(error.message));
    const took = performance.now() - began;
    if (took > 50) await new Promise((done) => setTimeout(done, Math.min(REST, took / SHARE)));
  }

  // Learns which variables there are, and from that which columns to propose.
  async learn() {
    const began = performance.now();
    this.next = Infinity;
    try {
      const known = await columnsOf.paths(this.project);
      const proposed = await columnsOf.propose(this.project, known);
      [this.known, this.proposed] = [known, proposed];
      columnsOf.remember(this.project, known, proposed);
    } finally {
      this.next = performance.now() + Math.max(PATHS_EVERY, (performance.now() - began) / SHARE);
    }
    if (this.source !== null && !this.isClosed) this.draw();
  }

  columns() { return state.read("columns") === null ? this.proposed : state.readList("columns"); }

  eyes() {
    const text = state.read("eye");
    if (text === "none") return [];
    return text === null ? this.source?.firstIds(SHOWN_FIRST) ?? [] : state.readList("eye");
  }

  draw() {
    this.last = location.pathname + location.search;
    const [source, isTrash, view] = [this.source, state.read("trash") !== null, state.read("view", "split")];
    const eyes = this.eyes();
    this.bar.set(state.read("q", ""));
    this.views.forEach((button, index) => button.setAttribute("aria-pressed", VIEWS[index] === view));
    this.trash.setAttribute("aria-pressed", isTrash);
    this.drawColumns();
    this.drawGroups();
    this.table.show({ source: source ?? undefined, eyes: new Set(eyes), sort: state.readList("sort"), at: this.at });
    this.bulk.show(eyes, isTrash);
    const total = source?.total ?? 0;
    this.count.textContent = source === null ? "" : `${total.toLocaleString("en-US")} ${total === 1 ? "experiment" : "experiments"}${isTrash ? " in the trash" : ""}`;
    this.drawEmpty(total, isTrash);
    this.split.element.hidden = total === 0;
    this.split.show(view, Number(state.read("split", "50")));
    this.charts.show(view === "table" || total === 0 ? null : eyes);
  }

  drawColumns() {
    const isDiffering = state.read("differ") !== null;
    this.differ.setAttribute("aria-pressed", isDiffering);
    let paths = this.columns();
    if (isDiffering) {
      const key = JSON.stringify([this.asked, paths]);
      if (this.differing?.key !== key) this.findDiffering(key, paths);
      if (this.differing?.found) paths = paths.filter((path) => this.differing.found.has(path));
    }
    this.shown = paths;
    const styles = columnsOf.stylesOf(state.readList("format"));
    this.table.show({ columns: paths.map((path) => columnsOf.column(path, this.known, styles)) });
  }

  async findDiffering(key, paths) {
    this.differing = { key, found: this.differing?.found };
    const found = await attempt(() => columnsOf.differing(this.wanted(), paths));
    if (this.differing?.key !== key) return;
    this.differing.found = found;
    this.draw();
  }

  drawGroups() {
    const by = state.read("group", "");
    const options = [...new Set(["", ...(by === "" ? [] : [by]), ...this.columns()])];
    const key = options.join("\u0000");
    if (this.group.dataset.options !== key) {
      this.group.dataset.options = key;
      fill(this.group, options.map((path) => h("option", { value: path }, path === "" ? "nothing" : columnsOf.column(path).label)));
    }
    this.group.value = by;
  }

  drawEmpty(total, isTrash) {
    const isQueried = state.read("q", "") !== "";
    this.empty.hidden = this.source === null || total > 0;
    if (this.empty.hidden) return;
    const clear = h("button.main", { onclick: () => { this.bar.clear(); state.write({ q: null }, { push: true }); } }, "Clear the query");
    const what = isQueried ? [h("h2", "Nothing matches"), h("p", isQuery(state.read("q")) ? "No experiment is as the query says." : "No name, id or tag has these words."), clear]
      : isTrash ? [h("h2", "The trash is empty")] : [h("h2", "There are no experiments here yet"), h("p", "Log something, and it appears here by itself:"), snippet()];
    fill(this.empty, h("div.empty", what));
  }

  view(view) { state.write({ view: view === "split" ? null : view }); }

  toggle(id, isRange) {
    const eyes = new Set(this.eyes());
    const isShown = !eyes.has(id);
    for (const one of isRange && this.toggled ? this.between(this.toggled, id) : [id]) {
      if (isShown) eyes.add(one); else eyes.delete(one);
    }
    this.toggled = id;
    state.write({ eye: eyes.size === 0 ? "none" : [...eyes] });
  }

  between(one, other) {
    const [from, to] = [this.source.placeOf(one), this.source.placeOf(other)].sort((a, b) => a - b);
    const ids = [];
    for (let index = Math.max(0, from); index <= to; index += 1) ids.push(this.source.entry(index)?.id);
    return ids.filter((id) => id !== undefined);
  }

  // A click goes from ascending to descending to no order; with shift it is one key more.
  sortBy(path, isAlso) {
    const sort = state.readList("sort");
    const now = sort.find((one) => one.replace(/^-/, "") === path);
    const next = now === undefined ? path : now === path ? `-${path}` : null;
    const rest = isAlso ? sort : sort.filter((one) => one === now);
    const changed = now === undefined ? [...rest, next] : rest.map((one) => (one === now ? next : one));
    state.write({ sort: changed.filter((one) => one !== null) }, { push: true });
  }

  moveColumn(path, target) {
    const paths = this.columns();
    const rest = paths.filter((one) => one !== path);
    const to = target(rest, paths.indexOf(path));
    rest.splice(Math.max(0, Math.min(rest.length, to)), 0, path);
    state.write({ columns: rest });
  }

  writeColumn(path, style) {
    const styles = columnsOf.stylesOf(state.readList("format"));
    if (style === "") styles.delete(path); else styles.set(path, style);
    state.write({ format: columnsOf.stylesText(styles) });
  }

  choose() {
    const known = this.known ?? new Map();
    chooseColumns({ now: () => this.columns(), known, change: (paths) => state.write({ columns: paths }) });
  }

  save(ids) {
    attempt(() => saveCsv(this.project.replace("/", "-"), this.wanted(), this.shown, ids));
  }

  inTable(event) {
    if (event.target !== this.table.element) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) { event.preventDefault(); this.step(by); }
    if (event.key !== "Enter" || this.at === null) return;
    if (this.source.entry(this.source.placeOf(this.at)) !== undefined) state.go(`/e/${encodeURIComponent(this.at)}`);
  }

  step(by) {
    if (!this.source || this.source.count === 0) return;
    let index = this.at === null ? -1 : this.source.placeOf(this.at);
    if (index < 0 && by < 0) return;
    do index += by; while (this.source.entry(index)?.group !== undefined);
    const entry = this.source.entry(index);
    if (entry === undefined) return;
    this.at = entry.id;
    this.table.element.focus({ preventScroll: true });
    this.table.show({ at: this.at });
    this.table.reveal(index);
  }
}
