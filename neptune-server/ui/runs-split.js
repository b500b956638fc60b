// Two panes side by side, with a border between them that is dragged, or moved by the arrow keys.

import { h } from "./dom.js";

const [LEAST, MOST, STEP] = [15, 85, 3];

// `changed(percent)` is called with the share of the left pane when somebody has moved the border.
export function split(left, right, changed) {
  const border = h("div.border", { role: "separator", tabindex: 0, "aria-orientation": "vertical", "aria-label": "Width of the table",
    "aria-valuemin": LEAST, "aria-valuemax": MOST });
  const element = h("div.split", left, border, right);
  let share = 50;

  function set(percent) {
    share = Math.min(MOST, Math.max(LEAST, percent));
    border.setAttribute("aria-valuenow", Math.round(share));
    left.style.flexBasis = `${share}%`;
    right.style.flexBasis = `${100 - share}%`;
  }

  border.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    border.setPointerCapture(event.pointerId);
    const box = element.getBoundingClientRect();
    const move = (at) => set(((at.clientX - box.left) / box.width) * 100);
    border.addEventListener("pointermove", move);
    border.addEventListener("lostpointercapture", () => { border.removeEventListener("pointermove", move); changed(share); }, { once: true });
  });
  border.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    set(share + by);
    changed(share);
  });
  return {
    element,
    // `which` is table, charts or split.
    show(which, percent) {
      left.hidden = which === "charts";
      right.hidden = which === "table";
      border.hidden = which !== "split";
      set(percent);
    },
  };
}
