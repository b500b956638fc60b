// The dialog in which columns are chosen and put into order.

import { fill, h } from "./dom.js";
import { choices, FIGURES, isMetric } from "./runs-columns.js";

// The most choices that are listed at once; a search finds the others.
const LISTED = 300;

// Opens the dialog. `now()` gives the paths that are shown, `known` all that there are, or `all` these in their order; `change` takes
// the new ones, and null goes back to the proposed ones. Of metrics in `known` there are columns of other figures than the last value.
export function chooseColumns({ title = "Columns", now, known, all = choices(known), change }) {
  const search = h("input", { type: "search", placeholder: `Search ${title.toLowerCase()}`, "aria-label": `Search ${title.toLowerCase()}`, oninput: draw });
  const found = h("ul.found");
  const count = h("div.dim");
  const shown = h("ol.chosen");
  const dialog = h("dialog.columns", { "aria-label": title, onclose: () => dialog.remove() },
    h("div.tools", h("h2", title), search, h("button", { onclick: addAll }, "Add all that match"),
      h("button", { onclick: () => set(null) }, "As proposed"), h("button.main", { onclick: () => dialog.close() }, "Done")),
    h("div.lists", h("section", h("h3", "There are"), found, count), h("section", h("h3", "Shown, in this order"), shown)));

  const matching = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter((path) => words.every((word) => path.toLowerCase().includes(word)));
  };

  function set(paths) { change(paths); draw(); }

  function addAll() { set([...new Set([...now(), ...matching()])]); }

  function draw() {
    const chosen = now();
    const paths = matching();
    fill(found, paths.slice(0, LISTED).map((path) => {
      const box = h("input", { type: "checkbox", checked: chosen.includes(path), onchange: () => set(box.checked ? [...now(), path] : now().filter((one) => one !== path)) });
      return h("li", h("label.cut", { title: path }, box, path), isMetric(known?.get(path)?.kind) && figures(path, chosen));
    }));
    count.textContent = paths.length > LISTED ? `${paths.length - LISTED} more; search for them` : paths.length === 0 ? "nothing matches" : "";
    fill(shown, chosen.map((path, index) => one(chosen, path, index)));
  }

  // Columns of other figures of a metric than its last value.
  function figures(path, chosen) {
    return h("span.figures", { role: "group", "aria-label": `Figures of ${path}` }, FIGURES.map((figure) => {
      const column = `${figure}(${path})`;
      const isChosen = chosen.includes(column);
      return h("button.bare", { "aria-pressed": String(isChosen), title: isChosen ? `Remove ${column}` : `Add ${column}`,
        "data-column": column, onclick: () => toggle(column, isChosen) }, figure);
    }));
  }

  function toggle(column, isChosen) {
    set(isChosen ? now().filter((one) => one !== column) : [...now(), column]);
    [...found.querySelectorAll("button")].find((one) => one.dataset.column === column)?.focus();
  }

  function one(chosen, path, index) {
    const moved = (by) => {
      const next = chosen.filter((other) => other !== path);
      next.splice(Math.max(0, Math.min(next.length, index + by)), 0, path);
      set(next);
      [...shown.children].find((item) => item.dataset.path === path)?.querySelector(by < 0 ? ".up" : ".down").focus();
    };
    const item = h("li", { draggable: "true" }, h("span.cut", { title: path }, path),
      h("button.bare.up", { "aria-label": `Move ${path} up`, disabled: index === 0, onclick: () => moved(-1) }, "\u2191"),
      h("button.bare.down", { "aria-label": `Move ${path} down`, disabled: index === chosen.length - 1, onclick: () => moved(1) }, "\u2193"),
      h("button.bare", { "aria-label": `Remove ${path}`, onclick: () => set(chosen.filter((other) => other !== path)) }, "\u2715"));
    item.dataset.path = path;
    item.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-column", path));
    item.addEventListener("dragover", (event) => event.preventDefault());
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      const from = event.dataTransfer.getData("text/x-column");
      if (from === "" || from === path) return;
      const next = chosen.filter((other) => other !== from);
      next.splice(next.indexOf(path) + (chosen.indexOf(from) < index ? 1 : 0), 0, from);
      set(next);
    });
    return item;
  }

  draw();
  document.body.append(dialog);
  dialog.showModal();
  search.focus();
}
