// Images and histograms as they are kept: JSON documents in the texts of a series, which may be of a newer version or damaged.

import { plain } from "./ansi.js";
import * as format from "./format.js";

// How much of a text is told on one line.
const MOST_TEXT = 2000;

// A histogram, or null when it is none that can be drawn.
export function histogramOf(text) {
  const read = parsed(text);
  const isOne = Array.isArray(read?.edges) && Array.isArray(read.counts) && read.counts.length > 0 && read.edges.length === read.counts.length + 1;
  return isOne && [...read.edges, ...read.counts].every(Number.isFinite) ? read : null;
}

// An image, or null. `object` is missing when its bytes were not kept.
export function imageOf(text) {
  const read = parsed(text);
  return typeof read?.size === "number" && typeof read.format === "string" ? read : null;
}

// A value of a variable on one line, whatever it is.
export function brief(kind, value) {
  const text = format.value(value);
  if (kind === "Series(image)") {
    const image = imageOf(text);
    return image === null ? text : ["image", image.format, sides(image), format.bytes(image.size), image.name].filter(Boolean).join("  ");
  }
  if (kind === "Series(histogram)") {
    const histogram = histogramOf(text);
    return histogram === null ? text : aboutHistogram(histogram);
  }
  return plain(text.slice(0, MOST_TEXT));
}

export const sides = ({ width, height }) => (width > 0 && height > 0 ? `${width}\u00d7${height}` : "");

export function aboutHistogram({ edges, counts, not_finite = 0 }) {
  const values = counts.reduce((sum, count) => sum + count, 0);
  const odd = not_finite > 0 ? `; ${not_finite} NaN or infinite` : "";
  return `${format.number(values)} values in ${counts.length} bins, ${format.number(edges[0])} to ${format.number(edges.at(-1))}${odd}`;
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}
