// Charts of the series of numbers of some experiments, a chart for each path and a line for each experiment.
//
//   const view = charts(host, { experiments, paths, controls, searchKey, closed, style, label });
//
// experiments  short ids, in the order in which lines are drawn
// paths        which to show: a list of paths, a function of a path, or null for all
// controls     false leaves out the bar above the charts; what the address says is obeyed all the same
// searchKey    the key that goes to the search of charts, `/` unless told otherwise; null for none
// closed       the names of the sections that begin closed
// style        a function from an id to { color, dash }; palette.js unless told otherwise
// label        a function from an id to its name in legends; the id and the name unless told otherwise
// group        a function that gives the paths by which a table beside the charts is grouped, which they follow
//
// What it returns:
// ready                 a promise that is kept once the charts are laid out
// setExperiments(ids)   shows other ones; those that stay are not asked for again
// update()              call it from the `update` of the page: the address has changed
// close()               ends it
//
// Highlighting a row elsewhere: `highlight(id)` and `onHighlight(work)` of chart-cursor.js.
// In the address: x, smooth, log, outliers, band, charts, chart-group, spread, fold, logs, zoom, full.

import { get } from "./api.js";
import { highlight, onHighlight } from "./chart-cursor.js";
import { bar, chosen } from "./charts-bar.js";
import { Card } from "./charts-card.js";
import { canGroup, groupBy, groupedBy, groupsOf } from "./charts-groups.js";
import { nameOf, nearestTo, sectionOf, titleOf, zoomOf, zoomText } from "./charts-paths.js";
import { css, fill, h, settled } from "./dom.js";
import { numeric } from "./format.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as palette from "./palette.js";
import { matcher } from "./search.js";
import * as state from "./state.js";

// Sections that are about the machine: last, and closed unless told otherwise.
const LAST = ["monitoring", "timing"];
// Charts of a section that are laid out at once.
const PAGE = 100;
// Sections behind so many charts are laid out when they are scrolled to.
const FIRST = 200;
// About how high a row of charts is, and how many are in it, to leave room for a section that is not laid out.
const ROW = 270;
const IN_ROW = 3;
// A refetch may take this share of the time.
const SHARE = 0.25;

css("/ui/charts.css");

export function charts(host, wanted) {
  const settings = { paths: null, controls: true, searchKey: "/", closed: LAST, style: palette.styleOf, label: null, group: () => [], ...wanted };
  let ids = [...settings.experiments];
  let rows = new Map();
  let known = [];
  let paths = [];
  let groups = new Map();
  let groupText = "[]";
  let shownText = null;
  const cards = new Map();
  const by = () => (ids.length > 1 ? groupedBy(settings.group()) : []);
  const series = () => known.filter(({ type }) => type === "Series(float)").map(({ path }) => path);
  const epochs = () => series().filter((path) => path.split("/").pop() === "epoch");
  const controls = settings.controls ? bar({
    series, hasEpoch: () => epochs().length > 0, columns: () => known.filter(canGroup).map(({ path }) => path),
    isSeveral: () => ids.length > 1, groupedBy: by, groupBy: (wantedPaths) => groupBy(wantedPaths, settings.group()),
  }) : null;
  const legend = h("div.charts-legend", { "aria-label": "Experiments" });
  const sections = h("div");
  const element = h("div.charts", controls?.element, legend, sections);
  host.append(element);
  const unbind = [];

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) cards.get(target.dataset.path)?.see(isIntersecting);
  }, { rootMargin: "300px" });

  const later = new Map();
  const laying = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) later.get(target)?.();
  }, { rootMargin: "300px" });

  const experiments = () => ids.filter((id) => rows.has(id)).map((id) => ({ ...rows.get(id), group: groups.get(id) ?? null }));
  const zooms = () => new Map(state.readList("zoom").map(zoomOf));
  const changeList = (key, name) => { const list = state.readList(key); state.write({ [key]: list.includes(name) ? list.filter((one) => one !== name) : [...list, name] }); };

  const view = {
    experiments,
    options(path) {
      const { axis, smoothing, isLog, isTrimmed, band, spread } = chosen();
      const x = view.xOf(path);
      return { axis: axis === "series" && x === null ? "step" : axis, nameX: x === null ? "" : nameOf(x), smoothing, isTrimmed, band, spread, isLog: isLog !== state.readList("logs").includes(path), zoom: zooms().get(path) ?? { x: null, y: null } };
    },
    // The series that is the axis of a chart, or null.
    xOf(path) {
      const { x } = chosen();
      return x === "epoch" ? nearestTo(path, epochs()) : x;
    },
    zoomed(path, { x, y }) {
      const all = zooms();
      all.delete(path);
      if (x !== null || y !== null) all.set(path, { x, y });
      state.write({ zoom: [...all].map(zoomText) });
    },
    toggleLog: (path) => changeList("logs", path),
    full: (path, isFull) => state.write({ full: isFull ? path : null }),
  };

  async function lookAtExperiments() {
    if (ids.length === 0) { rows = new Map(); return; }
    const grouping = by();
    const columns = ["sys/name", "sys/creation_time", "sys/state", "sys/running_time", ...grouping];
    const found = await get("/experiments", { id: ids, column: columns, limit: 10000, hidden: true });
    const before = rows;
    rows = new Map(found.rows.map(({ id, cells: [name, created, now, running] }) => [id, {
      id, label: settings.label?.(id) ?? (typeof name === "string" && name !== "" ? `${id} ${name}` : id), style: () => settings.style(id),
      start: created === null ? undefined : numeric(created) / 1e6, state: now, seen: `${now} ${running}`,
    }]));
    group(grouping, found.rows);
    return ids.filter((id) => rows.has(id) && (rows.get(id).state === "running" || rows.get(id).seen !== before.get(id)?.seen));
  }

  // Puts the experiments into their groups; those that are drawn already, into their new ones.
  function group(grouping, found) {
    const text = JSON.stringify([grouping, found.map(({ id, cells }) => [id, cells.slice(4)])]);
    if (text === groupText) return;
    groupText = text;
    groups = grouping.length === 0 ? new Map() : groupsOf(ids.flatMap((id) => found.filter((row) => row.id === id)).map(({ id, cells }) => [id, cells.slice(4)]), grouping);
    name();
    for (const card of cards.values()) card.show();
  }

  async function lookAtPaths() {
    known = ids.length === 0 ? [] : (await get("/paths", { experiment: ids })).paths;
    controls?.update();
    if (Array.isArray(settings.paths)) return settings.paths;
    return series().filter(settings.paths ?? (() => true));
  }

  // Lays the charts out; those that stay keep what they show.
  function lay() {
    const has = matcher(chosen().search);
    const shown = paths.filter((path) => has(path));
    const text = JSON.stringify([shown, state.readList("fold")]);
    if (text === shownText) return;
    shownText = text;
    const groups = new Map();
    for (const path of shown) {
      const name = sectionOf(path);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(path);
    }
    const order = [...groups.keys()].sort((one, other) => LAST.indexOf(one) - LAST.indexOf(other) || (one < other ? -1 : 1));
    const kept = new Set(shown);
    for (const [path, card] of cards) if (!kept.has(path)) { observer.unobserve(card.element); card.close(); cards.delete(path); }
    laying.disconnect();
    later.clear();
    let before = 0;
    fill(sections, order.map((name) => {
      const members = groups.get(name);
      before += members.length;
      return section(name, members, before - members.length > FIRST);
    }));
    if (shown.length === 0) fill(sections, nothing());
  }

  function section(name, members, isLater) {
    const isOpen = settings.closed.includes(name) === state.readList("fold").includes(name) || chosen().search !== "";
    const grid = h("div.grid");
    const more = h("button", { onclick: () => extend() });
    let laid = 0;
    const extend = () => {
      for (const path of members.slice(laid, laid + PAGE)) {
        if (!cards.has(path)) cards.set(path, new Card(path, titleOf(path), view));
        grid.append(cards.get(path).element);
        observer.observe(cards.get(path).element);
      }
      laid = Math.min(members.length, laid + PAGE);
      more.hidden = laid === members.length;
      more.textContent = `${members.length - laid} more`;
    };
    const summary = h("summary", name, h("span.dim", members.length));
    const details = h("details.section", { open: isOpen }, summary, grid, more);
    if (isLater) {
      grid.style.minHeight = `${Math.ceil(members.length / IN_ROW) * ROW}px`;
      more.hidden = true;
      later.set(grid, () => { laying.unobserve(grid); later.delete(grid); grid.style.minHeight = ""; extend(); });
      laying.observe(grid);
    } else if (isOpen) extend();
    details.addEventListener("toggle", () => {
      if (details.open && laid === 0 && !isLater) extend();
      const isUsual = details.open !== settings.closed.includes(name);
      if (isUsual === state.readList("fold").includes(name) && chosen().search === "") changeFold(name);
    });
    return details;
  }

  function changeFold(name) {
    changeList("fold", name);
    shownText = JSON.stringify([JSON.parse(shownText)[0], state.readList("fold")]);
  }

  function nothing() {
    if (ids.length === 0) return h("div.empty", h("h2", "No experiment is chosen"), h("p", "Charts of the experiments that you choose appear here."));
    if (paths.length > 0) return h("div.empty", h("h2", "No chart matches the search"), h("p", "A search is a regular expression; a & !b finds what has a and not b."));
    return h("div.empty", h("h2", "No series of numbers yet"), h("p", "Each name that you log becomes a chart:"), h("pre", 'experiment.log_metric("train/loss", loss);'));
  }

  function name() {
    const all = experiments();
    const named = groups.size === 0 ? all.map(({ id, label, style }) => ({ key: id, label, style: style() })) : [...new Set(groups.values())].sort((one, other) => one.place - other.place);
    legend.hidden = all.length < 2;
    fill(legend, named.slice(0, 100).map(({ key, label, style: { color, dash } }) => {
      const swatch = h("span.swatch");
      swatch.style.borderTopColor = color;
      swatch.style.borderTopStyle = dash.length === 0 ? "solid" : dash[0] <= 2 ? "dotted" : "dashed";
      return h("span", { "data-id": key, onpointerenter: () => highlight(key), onpointerleave: () => highlight(null) }, swatch, h("span.cut", { title: label }, label));
    }));
  }

  async function look() {
    await lookAtExperiments();
    name();
    paths = await lookAtPaths();
    lay();
    showFull();
  }

  async function refetch() {
    const began = performance.now();
    const changed = await lookAtExperiments();
    if (changed.length > 0) {
      const now = await lookAtPaths();
      if (now.join("\n") !== paths.join("\n")) { paths = now; lay(); }
      name();
      await Promise.all([...cards.values()].filter((card) => card.isSeen && card.isLoaded).map((card) => card.load(changed)));
      for (const card of cards.values()) if (!card.isSeen) card.isLoaded = false;
    }
    const took = performance.now() - began;
    if (took > 100) await new Promise((done) => setTimeout(done, Math.min(10_000, took / SHARE)));
  }

  function showFull() {
    const path = state.read("full");
    for (const [name, card] of cards) if (name !== path && card.chart?.element.classList.contains("full")) card.chart.element.classList.remove("full");
    const card = path === null ? undefined : cards.get(path);
    if (card === undefined || card.chart?.element.classList.contains("full")) return;
    card.see(true);
    card.chart.element.classList.add("full");
    card.chart.plot.focus();
    card.sharpen();
  }

  // The chart that keys are for: the one that fills the page, that has the focus, or that is under the mouse.
  const current = () => [...cards.values()].find(({ chart }) => chart?.element.matches(".full")) ?? [...cards.values()].find(({ chart }) => chart?.element.matches(":focus-within, :hover"));

  function go(by) {
    const all = [...cards.values()].filter((card) => card.element.isConnected && card.element.closest("details")?.open);
    const next = all[all.indexOf(current()) + by];
    if (next === undefined) return;
    if (state.read("full") !== null) { state.write({ full: next.path }); return; }
    next.element.scrollIntoView({ block: "nearest" });
    next.see(true);
    next.chart?.plot.focus();
  }

  unbind.push(keys.bind("f", "a chart as large as the page, and back", () => current()?.chart?.toggleFull()));
  unbind.push(keys.bind("escape", "back from a large chart", () => { if (state.read("full") !== null) state.write({ full: null }); }));
  unbind.push(keys.bind("]", "next chart", () => go(1)), keys.bind("[", "previous chart", () => go(-1)));
  if (controls !== null && settings.searchKey !== null) unbind.push(keys.bind(settings.searchKey, "search charts", () => controls.search.focus()));
  unbind.push(onHighlight((id) => { for (const one of legend.children) one.classList.toggle("lit", one.dataset.id === id); }));
  unbind.push(live.onChange(refetch));
  const onTheme = () => name();
  addEventListener("themechange", onTheme);

  const changeExperiments = settled(30, async () => {
    await lookAtExperiments();
    name();
    const now = await lookAtPaths();
    if (now.join("\n") !== paths.join("\n") || shownText === null || now.length === 0) { paths = now; shownText = null; lay(); }
    for (const card of cards.values()) if (card.isSeen) card.setExperiments().catch(() => {}); else { card.show(); card.isLoaded = false; }
  });

  return {
    ready: look(),
    setExperiments(now) { ids = [...now]; changeExperiments(); },
    update() {
      controls?.update();
      lay();
      if (JSON.stringify(by()) !== JSON.stringify(JSON.parse(groupText)[0] ?? [])) changeExperiments();
      for (const card of cards.values()) card.restyle();
      showFull();
    },
    close() {
      observer.disconnect();
      laying.disconnect();
      for (const end of unbind) end();
      removeEventListener("themechange", onTheme);
      for (const card of cards.values()) card.close();
      element.remove();
    },
  };
}
