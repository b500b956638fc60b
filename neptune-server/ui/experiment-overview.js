// The overview of an experiment: why it failed, what is missing, what people wrote, its key figures, parameters, and where it ran.

import { get, patch, post } from "./api.js";
import { coloured } from "./ansi.js";
import { fill, h } from "./dom.js";
import { snippet } from "./empty.js";
import { lineage } from "./experiment-lineage.js";
import { sparkline } from "./figure.js";
import * as format from "./format.js";
import { keyed, whenChanged, write } from "./keyed.js";
import { attempt } from "./notice.js";

// What neptune logs by itself is on tabs of its own.
const MEASURED = ["monitoring/", "timing/", "sys/", "source_code/", "artifacts/"];
const METRICS = 40;
const ATOMS = 200;
const WIDTH = 60;

export async function show(place, page) {
  const failure = h("section.failure", { hidden: true });
  const lost = h("section.lost", { hidden: true });
  const description = h("section.card");
  const metrics = h("section.card");
  const parameters = h("section.card");
  const others = h("section.card", { hidden: true });
  const system = h("section.card");
  const forks = h("section.card", { hidden: true });
  fill(place, failure, lost, h("div.overview", h("div.column", description, metrics, others), h("div.column", parameters, system, forks)));

  async function look(variables) {
    const { experiment } = page;
    const own = variables.variables.filter(({ path }) => !MEASURED.some((prefix) => path.startsWith(prefix)));
    whenChanged(failure, [experiment.failure, experiment.state, traces(variables).map((trace) => trace.series.last_time)], () => showFailure(failure, page, traces(variables)));
    whenChanged(lost, experiment.lost, () => showLost(lost, experiment.lost));
    whenChanged(description, experiment.description, () => { if (!description.isEdited) showDescription(description, page); });
    const atoms = own.filter(({ kind }) => kind.startsWith("Atom") || kind.startsWith("Set"));
    const isParameter = ({ path }) => path.startsWith("parameters/");
    showAtoms(parameters, "Parameters", atoms.filter(isParameter), "parameters/",
      h("p.dim", "Nothing was set yet. It is filled by ", h("code", "Session::experiment().params(&settings)"), " before ", h("code", "start()"), "."));
    const rest = atoms.filter((atom) => !isParameter(atom));
    others.hidden = rest.length === 0;
    showAtoms(others, "Properties and results", rest, "properties/", null);
    whenChanged(system, [experiment, variables.variables.filter(({ path }) => path.startsWith("sys/"))], () => showSystem(system, page, variables.variables));
    showMetrics(metrics, own.filter(({ kind }) => kind === "Series(float)"), page);
    const forkedFrom = variables.variables.find(({ path }) => path === "sys/forked_from")?.value ?? null;
    whenChanged(forks, [forkedFrom, Math.floor(Date.now() / 30_000)], () => lineage(forks, page));
  }

  await look(await page.variables());
  return { changed: async () => look(await page.latest()) };
}

const traces = ({ variables }) => variables.filter(({ path, series }) => series && /^monitoring\/(?:[^/]+\/)?traceback$/.test(path));

async function showFailure(place, page, found) {
  const { experiment } = page;
  place.hidden = experiment.failure === null && found.length === 0;
  if (place.hidden) return;
  place.dataset.state = experiment.state;
  const body = h("div");
  const verb = { failed: "It failed", aborted: "It was aborted" }[experiment.state] ?? "It had a failure and goes on";
  fill(place, h("h2", verb), experiment.failure !== null && h("pre.why", experiment.failure), body);
  for (const { path } of found) {
    const points = await get(page.path("/points"), { path, tail: 200 });
    body.append(h("details", h("summary", path.slice("monitoring/".length)), h("pre", coloured(points.values.join("\n")))));
  }
}

function showLost(place, lost) {
  place.hidden = lost.length === 0;
  fill(place, h("h2", "Not all that was logged is here"), h("table", h("thead", h("tr", ["records", "reason", "what happened"].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", lost.map(({ reason, count, explanation }) => h("tr", h("td.number", format.number(count)), h("td", h("code", reason)), h("td", explanation))))));
}

function showDescription(place, page) {
  const { description } = page.experiment;
  place.isEdited = false;
  fill(place, h("div.title", h("h2", "Notes"), h("button.bare", { onclick: () => editDescription(place, page), "aria-label": "edit the notes" }, "\u270e edit")),
    description ? h("div.notes", description) : h("p.dim", "Nobody wrote anything about it yet. What is written here is its description."));
}

function editDescription(place, page) {
  place.isEdited = true;
  const field = h("textarea", { rows: 8, "aria-label": "notes", value: page.experiment.description ?? "" });
  async function save() {
    const done = await attempt(async () => { await page.act(() => patch(page.path(), { description: field.value })); return true; }, "the notes are kept");
    if (done) showDescription(place, page);
  }
  field.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(); });
  fill(place, h("div.title", h("h2", "Notes")), field,
    h("div.tools", h("button.main", { onclick: save, title: "Ctrl+Enter" }, "save"), h("button", { onclick: () => showDescription(place, page) }, "cancel")));
  field.focus();
}

const leadsTo = (path) => `?tab=variables&path=${encodeURIComponent(path)}`;

function showAtoms(place, title, atoms, prefix, empty) {
  const shown = atoms.slice(0, ATOMS);
  whenChanged(place, shown.length === 0, () => fill(place, h("h2", title),
    shown.length === 0 ? empty : [h("table.pairs", h("tbody")), h("p.dim.more")]));
  if (shown.length === 0) return;
  keyed(place.querySelector("tbody"), shown, ({ path }) => path,
    ({ path }) => h("tr", h("th", { scope: "row" }, h("a.cut", { href: location.pathname + leadsTo(path), title: path }, path.startsWith(prefix) ? path.slice(prefix.length) : path)), h("td.cut")),
    (row, { value }) => { const text = format.value(value); write(row.lastChild, text.slice(0, 300), full(value, text)); });
  write(place.querySelector(".more"), atoms.length > ATOMS ? `${atoms.length - ATOMS} more are under All variables` : "");
}

// The whole value, for a title; what is long is cut there too.
const full = (value, text) => (typeof value === "number" ? String(value) : text.slice(0, 2000));

const FIGURES = ["last", "min", "max", "at step", "points"];

function showMetrics(place, series, page) {
  const shown = series.slice(0, METRICS);
  whenChanged(place, shown.length === 0, () => fill(place, h("h2", "Metrics"), shown.length === 0
    ? [h("p.dim", "No numbers were logged yet. They appear here by themselves:"), snippet()]
    : [h("table.metrics", h("thead", h("tr", h("th", { scope: "col" }, "series"), h("th"), FIGURES.map((head) => h("th.number", { scope: "col" }, head)))), h("tbody")), h("p.dim.more")]));
  if (shown.length === 0) return;
  const body = place.querySelector("tbody");
  keyed(body, shown, ({ path }) => path, ({ path }) => h("tr",
    h("th", { scope: "row" }, h("a.cut", { href: location.pathname + leadsTo(path), title: path }, path.startsWith("logs/") ? path.slice(5) : path)),
    h("td.spark"), FIGURES.map(() => h("td.number"))), updateMetric);
  write(place.querySelector(".more"), series.length > METRICS ? `${series.length - METRICS} more are under All variables` : "");
  showSparks(body, shown, page);
}

function updateMetric(row, { value, series }) {
  const figures = [value, series.minimum, series.maximum, series.last_step, series.count];
  figures.forEach((figure, place) => write(row.children[place + 2], format.value(figure) || "none", String(typeof figure === "object" ? format.value(figure) : figure)));
  const isOdd = series.nonfinite > 0;
  row.children[2].classList.toggle("odd", isOdd);
  if (isOdd) row.children[2].title = `${row.children[2].title}; ${series.nonfinite} of ${series.count} points are NaN or infinite`;
}

async function showSparks(body, shown, page) {
  const stale = shown.filter(({ path, series }) => body.keyed.get(path).drawn !== series.count);
  if (stale.length === 0) return;
  const named = stale.map(({ path }) => ({ experiment: page.id, path }));
  const answer = await post("/overviews", { series: named, buckets: WIDTH }).catch(() => null);
  answer?.series.forEach((overview, place) => {
    const { path, series } = stale[place];
    const row = body.keyed.get(path);
    if (row === undefined) return;
    row.drawn = series.count;
    fill(row.children[1], sparkline(overview.first_step, overview.minimum, overview.maximum));
  });
}

function showSystem(place, page, variables) {
  const { experiment } = page;
  const of = (path) => variables.find((variable) => variable.path === path)?.value;
  const full = (micros) => [format.time(micros), format.utc(micros)];
  const rows = [
    ["id", experiment.id, experiment.uuid], ["uuid", experiment.uuid], ["project", experiment.project],
    ["state", experiment.state ?? "never ran"], ["owner", format.value(of("sys/owner"))], ["machine", format.value(of("sys/hostname"))],
    experiment.created !== null && ["created", ...full(experiment.created)],
    experiment.finished !== null && experiment.state !== "running" && ["ended", ...full(experiment.finished)],
    ["running time", format.duration(experiment.running_time), `${experiment.running_time} s`],
  ].filter((row) => row && row[1] !== "");
  fill(place, h("h2", "System"), h("table.pairs", h("tbody", rows.map(([name, text, title]) => h("tr", h("th", { scope: "row" }, name), h("td", { title: title ?? text }, text))))),
    h("h3", "Processes that logged to it"), h("table", h("thead", h("tr", ["process", "machine", "pid", "began", "lasted"].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", experiment.writers.map((writer) => h("tr", h("td", h("code", { title: writer.id }, writer.id.slice(-8))), h("td", writer.host), h("td.number", writer.pid),
        h("td", { title: format.utc(writer.opened) }, format.time(writer.opened)),
        h("td", { title: writer.closed === null ? "" : `until ${format.utc(writer.closed)}` }, writer.closed === null ? "it is open" : format.duration((writer.closed - writer.opened) / 1e6)))))));
}
