// Which page the address asks for, and the bar above it.
//
// A page is a module with `show(place, parts)`, which fills `place` and returns `{ update, close, where }`: what to call when
// the address changes within the page, what to call when it is left, and its place in the bar as elements.

import { fill, h } from "./dom.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as state from "./state.js";
import * as theme from "./theme.js";

const PAGES = [
  [/^\/$/, () => import("./projects.js")],
  [/^\/p\/([^/]+\/[^/]+)$/, () => import("./experiments.js")],
  [/^\/e\/([^/]+)$/, () => import("./experiment.js")],
  [/^\/compare$/, () => import("./compare.js")],
];

let shown = null;
let turn = 0;

async function route() {
  const path = location.pathname;
  if (shown !== null && shown.path === path) { shown.page?.update?.(); return; }
  turn += 1;
  const own = turn;
  shown?.page?.close?.();
  shown = { path, page: null };
  const place = document.getElementById("page");
  for (const [pattern, load] of PAGES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    try {
      const module = await load();
      if (own !== turn) return;
      place.replaceChildren();
      const page = await module.show(place, match.slice(1).map(decodeURIComponent));
      if (own !== turn) { page?.close?.(); return; }
      shown.page = page;
      fill(where, page?.where ?? []);
    } catch (error) {
      if (own === turn) fill(place, h("div.error", error.message));
    }
    return;
  }
  fill(where);
  fill(place, h("div.empty", h("h2", "There is nothing at this address"), h("p", h("a", { href: "/" }, "All projects"))));
}

const where = h("nav.where", { "aria-label": "Place" });

function bar() {
  const lamp = h("button.bare.live", { title: "Whether the page follows what is logged; click to pause" });
  let paused = false;
  lamp.addEventListener("click", () => { paused = !paused; live.pause(paused); });
  live.onState((now) => {
    lamp.dataset.state = now;
    lamp.textContent = { live: "live", paused: "paused", lost: "no connection", off: "" }[now];
  });
  fill(document.getElementById("bar"),
    h("a.home", { href: "/" }, h("img", { src: "/ui/icon.svg", alt: "" }), "neptune"), where, h("span.space"), lamp,
    h("button.bare", { title: "Light or dark (t)", onclick: theme.toggle }, "\u25d0"),
    h("button.bare", { title: "Keys (?)", onclick: () => dispatchEvent(new KeyboardEvent("keydown", { key: "?" })) }, "?"));
}

// Links within the pages do not load anything anew.
addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || to.pathname.startsWith("/api/")) return;
  event.preventDefault();
  state.go(to.pathname + to.search);
});

theme.start();
keys.start();
keys.bind("t", "light or dark", theme.toggle);
bar();
state.onChange(route);
route();
