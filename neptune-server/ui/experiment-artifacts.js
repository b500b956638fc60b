// The artifacts of an experiment: what it made, to look at and to download.

import { address, get } from "./api.js";
import { fill, h } from "./dom.js";
import { fileView } from "./files.js";
import * as format from "./format.js";
import { whenChanged } from "./keyed.js";

export async function show(place, page) {
  const told = h("span.dim");
  const top = h("div.tools.top", told, h("span.space"), h("a.button", { href: address(page.path("/zip"), { what: "artifacts" }), download: true }, "\u2193 all as ZIP"));
  const view = fileView(page);
  const empty = nothing();

  async function look() {
    const { files } = await get(page.path("/artifacts"));
    whenChanged(place, files, () => {
      const size = files.reduce((sum, file) => sum + file.size, 0);
      told.textContent = `${files.length} ${files.length === 1 ? "file" : "files"}, ${format.bytes(size)}`;
      const isShown = view.element.isConnected || place.contains(view.element);
      if (files.length === 0) fill(place, empty);
      else if (!isShown) fill(place, top, view.element);
      view.set(files);
    });
  }
  await look();
  return { changed: look, update: view.update, close: view.close };
}

function nothing() {
  return h("div.empty", h("h2", "No artifacts were logged yet"), h("p", "Files, folders and bytes that are logged as artifacts are listed here:"),
    h("pre", `experiment.log_artifact("model.safetensors", Some("models/best.safetensors"))?;
experiment.log_artifacts("plots/**/*.png", None)?;
// JSON of plotly is drawn.
experiment.log_artifact(figure.to_json().as_bytes(), Some("roc.plotly.json"))?;`));
}
