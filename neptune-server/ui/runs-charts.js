// The pane of the charts beside the table. The module of the charts is loaded when they are first shown.

import { h } from "./dom.js";
import * as state from "./state.js";

// What goes to the search of the charts; `/` goes to the query.
const SEARCH = "s";

export function chartsPane() {
  const element = h("section.right", { "aria-label": "Charts" });
  let view = null;
  let wanted = null;
  let address = null;
  let isClosed = false;

  async function open() {
    view = "coming";
    const { charts } = await import("./charts.js");
    if (isClosed || view !== "coming") return;
    view = charts(element, { experiments: wanted, searchKey: SEARCH, group: () => state.readList("group") });
  }

  return {
    element,
    // Shows the charts of these experiments; null shows none.
    show(ids) {
      if (ids === null) {
        if (view !== "coming") view?.close();
        [view, wanted] = [null, null];
        return;
      }
      const isSame = wanted !== null && wanted.join() === ids.join();
      wanted = ids;
      if (view === null) open();
      else if (view !== "coming") {
        if (!isSame) view.setExperiments(ids);
        if (address !== location.search) view.update();
      }
      address = location.search;
    },
    close() {
      isClosed = true;
      if (view !== "coming") view?.close();
    },
  };
}
