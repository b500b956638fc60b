// A dialog in which one of many names, or several, are chosen with a search.

import { fill, h } from "./dom.js";
import { matcher } from "./search.js";

// The most that are listed at once; a search finds the others.
const LISTED = 200;

// `now()` gives what is chosen; `change` takes the new list. Choosing one closes the dialog unless `isMany`.
export function choose({ title, names, now, change, isMany = false, none }) {
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search: ${title}`, oninput: draw });
  const list = h("ul");
  const count = h("div.dim");
  const dialog = h("dialog.charts-choose", { "aria-label": title, onclose: () => dialog.remove() },
    h("div.tools", h("h2", title), h("button", { onclick: () => { change([]); dialog.close(); } }, none), h("button.main", { onclick: () => dialog.close() }, "Done")), search, list, count);

  function draw() {
    const has = matcher(search.value);
    const chosen = now();
    const found = [...chosen, ...names.filter((name) => !chosen.includes(name))].filter(has);
    fill(list, found.slice(0, LISTED).map((name) => {
      const box = h("input", { type: isMany ? "checkbox" : "radio", name: "choice", checked: chosen.includes(name), onchange: () => take(name, box.checked) });
      return h("li", h("label.cut", { title: name }, box, name));
    }));
    count.textContent = names.length === 0 ? "there is nothing to choose" : found.length === 0 ? "nothing matches" : found.length > LISTED ? `${found.length - LISTED} more; search for them` : "";
  }

  function take(name, isChosen) {
    if (!isMany) { change([name]); dialog.close(); return; }
    change(isChosen ? [...now(), name] : now().filter((one) => one !== name));
  }

  draw();
  document.body.append(dialog);
  dialog.showModal();
  search.focus();
}
