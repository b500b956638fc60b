// Views that somebody gave a name: what the address says of the page, kept in this browser.

import { fill, h } from "./dom.js";
import * as state from "./state.js";

const key = (project) => `neptune.views.${project}`;

function kept(project) { try { return JSON.parse(localStorage.getItem(key(project))) ?? {}; } catch { return {}; } }

// A menu of the views of a project.
export function viewsMenu(project) {
  const list = h("ul");
  const name = h("input", { type: "text", required: true, placeholder: "name of this view", "aria-label": "Name of this view" });
  const save = (event) => {
    event.preventDefault();
    change({ ...kept(project), [name.value.trim()]: location.search });
    name.value = "";
  };
  const menu = h("details.menu", { ontoggle: () => { if (menu.open) draw(); } }, h("summary.button", "Views"),
    h("div.pop", list, h("form.tools", { onsubmit: save }, name, h("button", "Save"))));

  function change(views) { localStorage.setItem(key(project), JSON.stringify(views)); draw(); }

  function draw() {
    const views = Object.entries(kept(project));
    fill(list, views.length === 0 && h("li.dim", "None is saved yet: a view is the query, order, columns, group and selection of now."),
      views.map(([title, query]) => h("li", h("a.cut", { href: location.pathname + query, onclick: () => { menu.open = false; } }, title),
        h("button.bare", { "aria-label": `Forget ${title}`, onclick: () => { const rest = kept(project); delete rest[title]; change(rest); } }, "\u2715"))));
  }

  const leave = (event) => { if (menu.open && !menu.contains(event.target)) menu.open = false; };
  addEventListener("pointerdown", leave);
  return { element: menu, close: () => removeEventListener("pointerdown", leave), reset: () => state.go(location.pathname) };
}
