// The pane of the charts beside the table. The module of the charts is loaded when they are first shown.

import { fill, h } from "./dom.js";

export function chartsPane() {
  const element = h("section.right", { "aria-label": "Charts" });
  return {
    element,
    show(ids, isVisible) {
      if (isVisible) fill(element, h("div.empty", h("p", `Charts of ${ids.join(", ") || "nothing"}`)));
    },
    close() {},
  };
}
