// The pane of the charts beside the table: there are none until they are first shown.

import { charts } from "./charts.js";
import { h } from "./dom.js";
import * as state from "./state.js";

// What goes to the search of the charts; `/` goes to the query.
const SEARCH = "s";

export function chartsPane() {
  const element = h("section.right", { "aria-label": "Charts" });
  let view = null;
  let wanted = null;
  let address = null;

  const open = () => charts(element, { experiments: wanted, searchKey: SEARCH, group: () => state.readList("group") });

  return {
    element,
    // Shows the charts of these experiments; null shows none.
    show(ids) {
      if (ids === null) {
        view?.close();
        [view, wanted] = [null, null];
        return;
      }
      const isSame = wanted !== null && wanted.join() === ids.join();
      wanted = ids;
      if (view === null) view = open();
      else {
        if (!isSame) view.setExperiments(ids);
        if (address !== location.search) view.update();
      }
      address = location.search;
    },
    close() { view?.close(); },
  };
}
