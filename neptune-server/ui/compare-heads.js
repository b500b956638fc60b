// The heads of the axes: the name, which is dragged to move the axis and pressed for what else can be done with it, and whether it is
// logarithmic.

import { follow } from "./compare-drag.js";
import { h } from "./dom.js";
import { keyed } from "./keyed.js";

// So far is a press moved before it is a drag.
const STILL = 4;

// `actions`: order() the columns from left to right, drag(column, x) while it is dragged and drag(null) at the end, move(columns),
// log(column), open(column).
export function heads(actions) {
  const element = h("div.heads", { role: "list", "aria-label": "Axes: Enter for more, alt and arrow moves" });

  function make({ column }) {
    const name = h("button.bare.cut.name", { onclick: (event) => { if (!name.isDragged || event.detail === 0) actions.open(column); } });
    const log = h("button.bare.log", { onclick: () => actions.log(column) }, "log");
    const head = h("div.head", { role: "listitem" }, name, h("div.under", log, h("span.dim")));
    head.dataset.column = column;
    name.addEventListener("pointerdown", (event) => begin(event, name, column));
    name.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!event.altKey || by === undefined) return;
      event.preventDefault();
      shift(column, by);
      name.focus();
    });
    return head;
  }

  function shift(column, by) {
    const columns = actions.order();
    const from = columns.indexOf(column);
    const to = Math.max(0, Math.min(columns.length - 1, from + by));
    columns.splice(to, 0, ...columns.splice(from, 1));
    actions.move(columns);
  }

  function begin(event, name, column) {
    if (event.button !== 0) return;
    const left = element.getBoundingClientRect().left;
    name.isDragged = false;
    follow((now) => {
      if (!name.isDragged && Math.abs(now.clientX - event.clientX) < STILL) return;
      name.isDragged = true;
      actions.drag(column, now.clientX - left);
    }, () => {
      if (!name.isDragged) return;
      const columns = actions.order();
      actions.drag(null);
      actions.move(columns);
    });
  }

  return {
    element,
    // Of each axis { column, label, canLog, isLog, common, x }, and how wide a head is.
    show(all, width) {
      keyed(element, all, ({ column }) => column, make, (head, { column, label, canLog, isLog, common, x }) => {
        const [name, { firstChild: log, lastChild: under }] = head.children;
        head.style.left = `${x - width / 2}px`;
        head.style.width = `${width}px`;
        if (name.textContent !== label) name.textContent = label;
        name.title = `${column}\nclick for more, drag or alt and arrow moves`;
        log.hidden = !canLog;
        log.setAttribute("aria-pressed", isLog);
        log.setAttribute("aria-label", `${label} logarithmic`);
        under.textContent = common;
      });
    },
  };
}
