// One experiment: the header with what people change, and a tab for each side of it.
//
// A tab is a module with `show(place, page)`, which returns `{ changed, update, close }`: what to call after something was
// logged, when the address has changed, and when the tab is left. `page` is what followed.js gives.

import { css, fill, h } from "./dom.js";
import { followed } from "./followed.js";
import { heading } from "./experiment-header.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as state from "./state.js";

const TABS = [
  ["overview", "Overview", () => import("./experiment-overview.js")],
  ["charts", "Charts", () => import("./experiment-charts.js")],
  ["images", "Images", () => import("./experiment-images.js")],
  ["console", "Console", () => import("./experiment-console.js")],
  ["variables", "All variables", () => import("./experiment-variables.js")],
  ["timings", "Timings", () => import("./experiment-timings.js")],
  ["hardware", "Hardware", () => import("./experiment-hardware.js")],
  ["artifacts", "Artifacts", () => import("./experiment-artifacts.js")],
  ["code", "Code", () => import("./experiment-code.js")],
];

export async function show(place, [asked]) {
  const [page] = await Promise.all([followed(asked), css("/ui/experiment.css")]);
  const header = heading(page);
  const bar = h("div.tabs", { role: "tablist", "aria-label": "Parts of the experiment" });
  const body = h("div.tab", { role: "tabpanel", tabindex: -1 });
  fill(place, h("div.experiment", header.element, bar, body));
  document.title = `${page.id} - neptune`;

  let shown = null;
  let turn = 0;

  async function openTab() {
    const wanted = state.read("tab", "overview");
    const [name, , load] = TABS.find(([name]) => name === wanted) ?? TABS[0];
    if (shown?.name === name) { shown.tab?.update?.(); return; }
    turn += 1;
    const own = turn;
    shown?.tab?.close?.();
    shown = { name, tab: null };
    for (const button of bar.children) {
      const isChosen = button.dataset.tab === name;
      button.setAttribute("aria-selected", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
    body.setAttribute("aria-label", name);
    const inside = h("div.inside");
    try {
      const tab = await (await load()).show(inside, page);
      if (own !== turn) { tab?.close?.(); return; }
      shown.tab = tab;
    } catch (error) {
      if (own !== turn) return;
      fill(inside, h("div.error", error.message));
    }
    body.replaceChildren(inside);
    body.dataset.tab = name;
  }

  fill(bar, TABS.map(([name, label], place) => h("button", {
    role: "tab", "data-tab": name, title: `${label} (${place + 1})`, onclick: (event) => press(event, name), onkeydown: (event) => walk(event, place),
  }, label)));

  // The keys that follow a click are for what it showed, not for the row of tabs.
  function press(event, name) {
    choose(name);
    if (event.detail > 0) body.focus({ preventScroll: true });
  }

  function walk(event, place) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = bar.children[(place + way + TABS.length) % TABS.length];
    next.focus();
    next.click();
  }

  async function changed() {
    await page.refresh();
    header.changed();
    await shown?.tab?.changed?.();
  }

  const unbind = TABS.map(([name, label], place) => keys.bind(String(place + 1), `show ${label.toLowerCase()}`, () => choose(name)));
  page.onRefresh(header.changed);
  await openTab();
  const ended = live.onChange(changed);
  return {
    update: openTab,
    close() { ended(); header.close(); shown?.tab?.close?.(); turn += 1; for (const end of unbind) end(); },
    where: [h("a", { href: `/p/${page.experiment.project.split("/").map(encodeURIComponent).join("/")}` }, page.experiment.project), h("span", page.id)],
  };
}

// What the address said of each tab when it was left, to come back to it.
const left = new Map();

// Goes to a tab as it was left.
function choose(name) {
  const now = Object.fromEntries(new URLSearchParams(location.search));
  const { tab = "overview" } = now;
  if (tab === name) return;
  left.set(`${location.pathname} ${tab}`, now);
  const nothing = Object.fromEntries(Object.keys(now).map((key) => [key, null]));
  state.write({ ...nothing, ...left.get(`${location.pathname} ${name}`), tab: name === "overview" ? null : name }, { push: true });
}
