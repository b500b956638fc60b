// One image, as large as the window.

import { fill, h } from "./dom.js";
import * as format from "./format.js";

// `draw(point)` gives the picture and the two texts about it.
export function enlarge(path, draw, closed) {
  const title = h("span.dim");
  const about = h("div.about");
  const frame = h("div.frame");
  const dialog = h("dialog.enlarged", { "aria-label": path }, h("div.title", h("h2", path), title, h("button", { onclick: () => dialog.close() }, "close")), frame, about);
  dialog.addEventListener("close", () => { dialog.remove(); closed(); });
  document.body.append(dialog);
  dialog.showModal();
  return {
    show(point) {
      const [picture, [detail, said]] = draw(point);
      fill(frame, picture);
      title.textContent = point === null ? "" : `step ${format.value(point.step)}  ${detail}`;
      about.textContent = said;
    },
    close() { dialog.close(); },
  };
}
