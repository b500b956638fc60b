// The code that an experiment ran: its commit, what was not committed, how it was built and run, its packages and its files.

import { address, get } from "./api.js";
import { difference } from "./difference.js";
import { fill, h, settled } from "./dom.js";
import { fileView, textOf } from "./files.js";
import * as format from "./format.js";
import { whenChanged } from "./keyed.js";
import * as state from "./state.js";

const PARTS = [["git", "Commit and diff"], ["files", "Files"], ["packages", "Packages"], ["environment", "Environment"]];

export async function show(place, page) {
  const parts = h("span.parts", { role: "group", "aria-label": "Parts of the code" });
  const download = h("a.button", { href: address(page.path("/zip"), { what: "sources" }), download: true }, "\u2193 sources as ZIP");
  const body = h("div.code-parts");
  const view = fileView(page);
  let files = [];
  let variables = [];
  fill(place, h("div.tools.top", parts, h("span.space"), download), body);

  const chosen = () => (PARTS.some(([name]) => name === state.read("part")) ? state.read("part") : "git");

  function look() {
    fill(parts, PARTS.map(([name, label]) => h("button", { "aria-pressed": String(name === chosen()), onclick: () => state.write({ part: name === "git" ? null : name }) }, label)));
    const code = variables.filter(({ path }) => path.startsWith("source_code/"));
    const run = variables.filter(({ path }) => /^monitoring\/[^/]+\/environment\//.test(path));
    const isEmpty = code.length === 0 && run.length === 0;
    download.hidden = files.length === 0;
    if (chosen() === "files" && files.length > 0) {
      if (!place.contains(view.element)) body.replaceWith(view.element);
      view.set(files);
      return;
    }
    if (!place.contains(body)) view.element.replaceWith(body);
    whenChanged(body, [chosen(), code, run, files.length], () => {
      if (isEmpty) fill(body, nothing());
      else if (chosen() === "packages") fill(body, packages(code));
      else if (chosen() === "environment") fill(body, environment(run));
      else if (chosen() === "files") fill(body, h("div.empty", h("h2", "No source files were kept"), h("p", "They are kept of programs that cargo runs, and where ", h("code", ".sources([...])"), " names them.")));
      else showGit(body, page, code);
    });
  }

  async function take(answer) {
    variables = answer.variables.filter(({ path }) => path.startsWith("source_code/") || path.startsWith("monitoring/"));
    if (variables.some(({ path, kind }) => kind === "Atom(file)" && path.startsWith("source_code/"))) ({ files } = await get(page.path("/sources")));
    look();
  }
  await take(await page.variables());
  return { changed: async () => take(await page.latest()), update: look, close: view.close };
}

const rowsOf = (rows) => h("table.pairs", h("tbody", rows.map(([name, text, title]) => h("tr", h("th", { scope: "row" }, name), h("td", { title: title ?? null }, text)))));

// The prefixes below which a process has its code: most often there is one.
function setsOf(code) {
  const found = code.map(({ path }) => /^(source_code\/(?:[0-9a-f]{8}\/)?)/.exec(path)[1]);
  return [...new Set(found)].sort((left, right) => left.length - right.length);
}

async function showGit(place, page, code) {
  place.replaceChildren();
  for (const set of setsOf(code)) {
    const of = (name) => code.find(({ path }) => path === `${set}${name}`)?.value;
    const git = code.filter(({ path }) => path.startsWith(`${set}git/`));
    const order = ["commit", "branch", "dirty", "message", "author", "date"];
    const rankOf = (path) => { const at = order.indexOf(path.slice(set.length + 4)); return at < 0 ? order.length : at; };
    const rows = git.sort((left, right) => rankOf(left.path) - rankOf(right.path)).map(({ path, value }) => gitRow(path.slice(set.length + 4), value));
    for (const name of ["digest", "left_out", "trouble"]) if (of(name) !== undefined) rows.push([name.replace("_", " "), format.value(of(name))]);
    const card = h("section.card", h("h2", set === "source_code/" ? "Commit" : `Commit of process ${set.split("/")[1]}`),
      git.length === 0 && h("p.dim", "The program was not in a git repository, or git could not be asked."), rowsOf(rows));
    place.append(card);
    for (const [name, title] of [["head", "What was not committed"], ["upstream", "What was committed and not pushed"]]) {
      const path = `${set}diff/${name}.patch`;
      if (of(`diff/${name}.patch`) === undefined) continue;
      const room = h("section.card", h("div.title", h("h2", title), h("a.button", { href: address(page.path("/file"), { path }), download: `${name}.patch` }, "\u2193 patch")), h("p.dim", "\u2026"));
      place.append(room);
      const text = await textOf(page, path).catch((error) => error);
      room.lastChild.replaceWith(text instanceof Error ? h("div.error", text.message) : difference(text));
    }
  }
}

function gitRow(name, value) {
  if (name === "dirty") return ["state", value === true ? h("span.odd", "\u25b2 files that git knows were changed") : h("span.good", "\u2713 as it was committed")];
  if (name === "commit") return ["commit", h("code", format.value(value))];
  if (name === "date") return ["date", format.value(value), format.utc(value.datetime)];
  return [name.replace("_", " "), h("span.notes", listed(value))];
}

// A list of texts that was kept as JSON, in lines.
function listed(value) {
  const text = format.value(value);
  if (typeof value !== "object" || !("json" in value)) return text;
  try { const read = JSON.parse(text); return Array.isArray(read) ? read.join("\n") : JSON.stringify(read, null, 1); } catch { return text; }
}

function packages(code) {
  const text = code.find(({ path }) => path.endsWith("/dependencies"))?.value;
  let all = {};
  try { all = JSON.parse(format.value(text)); } catch { /* none that can be read */ }
  const entries = Object.entries(all);
  if (entries.length === 0) return h("div.empty", h("h2", "No packages are known"), h("p", "They are read from Cargo.lock when the program is started by cargo."));
  const body = h("tbody");
  const field = h("input", { type: "search", placeholder: "search packages", "aria-label": "search packages" });
  const showFound = () => fill(body, entries.filter(([name]) => name.includes(field.value.trim())).map(([name, version]) => h("tr", h("th", { scope: "row" }, name), h("td", Array.isArray(version) ? version.join(", ") : String(version)))));
  field.addEventListener("input", settled(80, showFound));
  showFound();
  return h("section.card", h("div.title", h("h2", `${entries.length} packages`), field), h("table.pairs", body));
}

function environment(run) {
  if (run.length === 0) return h("div.empty", h("h2", "Nothing is known of how it ran"), h("p", "It is recorded when an experiment is started, unless the session is ", h("code", ".without_code()"), "."));
  const processes = [...new Set(run.map(({ path }) => path.split("/")[1]))];
  return processes.map((process) => {
    const prefix = `monitoring/${process}/environment/`;
    const own = run.filter(({ path }) => path.startsWith(prefix));
    const group = (title, test) => { const rows = own.filter(({ path }) => test(path.slice(prefix.length))); return rows.length > 0 && [h("h3", title), rowsOf(rows.map(({ path, value }) => [path.slice(prefix.length).replace(/^(build|variables)\//, "").replaceAll("_", title === "Variables" ? "_" : " "), h("span.notes", listed(value))]))]; };
    return h("section.card", h("h2", `Process ${process}`), group("Run", (name) => !name.includes("/")), group("Build", (name) => name.startsWith("build/")),
      group("Variables", (name) => name.startsWith("variables/")), group("Other", (name) => name.includes("/") && !/^(build|variables)\//.test(name)));
  });
}

function nothing() {
  return h("div.empty", h("h2", "No code was recorded"), h("p", "The commit, the differences to it and the source files are recorded by themselves when an experiment is started, unless the session is ", h("code", ".without_code()"), "."));
}
