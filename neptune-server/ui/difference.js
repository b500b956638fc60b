// A patch in colours.

import { h } from "./dom.js";

// How many lines are shown.
const MOST = 5000;

export function difference(text) {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let isHeader = true;
  const shown = lines.slice(0, MOST).map((line) => {
    if (line.startsWith("diff ")) isHeader = true;
    const kind = kindOf(line, isHeader);
    if (kind === "at") isHeader = false;
    return h(kind === "" ? "span" : `span.${kind}`, line);
  });
  return h("pre.difference", { tabindex: 0 }, shown, lines.length > MOST && h("span.dim", `${lines.length - MOST} more lines are in the patch.`));
}

function kindOf(line, isHeader) {
  if (line.startsWith("diff ")) return "file";
  if (line.startsWith("@@")) return "at";
  if (isHeader) return "dim";
  if (line.startsWith("+")) return "plus";
  return line.startsWith("-") ? "minus" : "";
}
