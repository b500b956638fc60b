// A long table of which only the rows that can be seen are elements. All rows are of one height.

import { h, perFrame } from "./dom.js";

// How many rows are there beyond what is seen, at each end.
const BEYOND = 12;

// Makes the body of a table within `scrolled`, the element that scrolls. `row(place)` makes a row, and `update(row, place)` brings
// one that is kept up to date.
export function virtualBody(scrolled, height, { key, row, update }) {
  const above = h("tr", { "aria-hidden": "true" }, h("td"));
  const below = h("tr", { "aria-hidden": "true" }, h("td"));
  const body = h("tbody", above, below);
  for (const spacer of [above, below]) Object.assign(spacer.firstChild.style, { padding: "0", border: "0" });
  const known = new Map();
  let count = 0;

  function draw() {
    const head = body.parentElement?.tHead?.offsetHeight ?? 0;
    const from = Math.max(0, Math.floor((scrolled.scrollTop - head) / height) - BEYOND);
    const until = Math.min(count, Math.ceil((scrolled.scrollTop + scrolled.clientHeight) / height) + BEYOND);
    const wanted = new Map();
    for (let place = from; place < until; place += 1) wanted.set(key(place), place);
    for (const [name, element] of known) if (!wanted.has(name)) { element.remove(); known.delete(name); }
    let before = above;
    for (const [name, place] of wanted) {
      let element = known.get(name);
      if (element === undefined) known.set(name, element = row(place));
      element.ariaRowIndex = String(place + 1);
      update(element, place);
      if (before.nextSibling !== element) before.after(element);
      before = element;
    }
    above.firstChild.style.height = `${from * height}px`;
    below.firstChild.style.height = `${Math.max(0, count - until) * height}px`;
  }

  const soon = perFrame(draw);
  scrolled.addEventListener("scroll", soon, { passive: true });
  const sized = new ResizeObserver(soon);
  sized.observe(scrolled);
  return {
    body,
    // There are so many rows now, or what they show has changed.
    set(rows) { count = rows; draw(); },
    // Scrolls until a row is seen.
    reveal(place) {
      const head = body.parentElement?.tHead?.offsetHeight ?? 0;
      const top = place * height;
      if (top < scrolled.scrollTop) scrolled.scrollTop = top;
      else if (top + height + head > scrolled.scrollTop + scrolled.clientHeight) scrolled.scrollTop = top + height + head - scrolled.clientHeight;
      draw();
    },
    close() { sized.disconnect(); },
  };
}
