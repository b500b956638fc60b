// What the paths of series say about their charts: titles, sections, axes, and the zoom in the address.

// Metrics are below `logs`, which says nothing: their section is the next part of the path.
export const titleOf = (path) => (path.startsWith("logs/") ? path.slice(5) : path);

// What an axis is called: the last part of the path of its series.
export const nameOf = (path) => path.split("/").pop();

// Of some paths, the one that has most of its beginning with `path` in common.
export function nearestTo(path, candidates) {
  const parts = path.split("/");
  const shared = (other) => { const others = other.split("/"); return others.filter((_, at) => others.slice(0, at + 1).every((part, place) => part === parts[place])).length; };
  return candidates.reduce((best, one) => (best === null || shared(one) > shared(best) || (shared(one) === shared(best) && one.length < best.length) ? one : best), null);
}

// A zoom in the address is `path~from~to~low~high`; what is not zoomed is empty.
export const zoomText = ([path, { x, y }]) => [path, ...(x ?? ["", ""]), ...(y ?? ["", ""])].join("~");

export function zoomOf(text) {
  const parts = text.split("~");
  const pair = (at) => (parts.slice(at, at + 2 || undefined).every((end) => end !== "" && Number.isFinite(Number(end))) ? parts.slice(at, at + 2 || undefined).map(Number) : null);
  return [parts.slice(0, -4).join("~"), { x: pair(-4), y: pair(-2) }];
}

// Where a chart is: below the first part of its title.
export function sectionOf(path) {
  const title = titleOf(path);
  return title.includes("/") ? title.slice(0, title.indexOf("/")) : path.startsWith("logs/") ? "logs" : path;
}
