// Files of exactly what a chart shows: a picture as PNG or SVG, and its numbers as CSV.

import { draw, FONT } from "./chart-draw.js";
import { SvgPen } from "./chart-svg.js";
import { h } from "./dom.js";

const TITLE = 24, ENTRY = 16;

// The same picture with its title above and its legend below.
function paint(pen, picture, title, names) {
  pen.fillStyle = picture.colors.ground;
  pen.fillRect(0, 0, picture.width, heightWith(picture, names));
  pen.font = `600 13px ${FONT.slice(FONT.indexOf(" ") + 1)}`;
  pen.fillStyle = picture.colors.text;
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillText(title, 8, 6);
  draw(pen, picture);
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  names.forEach(({ label, style }, place) => {
    const y = picture.height + ENTRY * place + ENTRY / 2;
    pen.strokeStyle = style.color;
    pen.lineWidth = 2;
    pen.setLineDash(style.dash);
    pen.beginPath();
    pen.moveTo(picture.plot.left, y);
    pen.lineTo(picture.plot.left + 24, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = picture.colors.text;
    pen.fillText(label, picture.plot.left + 32, y);
  });
}

const heightWith = (picture, names) => picture.height + ENTRY * names.length + 8;

// `pictureOf(top)` is the picture that leaves so much room above itself.
export function saveSvg(pictureOf, title, names) {
  const picture = pictureOf(TITLE);
  const pen = new SvgPen(picture.width, heightWith(picture, names));
  paint(pen, picture, title, names);
  save(new Blob([pen.text()], { type: "image/svg+xml" }), title, "svg");
}

export async function savePng(pictureOf, title, names) {
  const picture = pictureOf(TITLE);
  await savePicture(picture.width, heightWith(picture, names), title, (pen, density) => paint(pen, { ...picture, density }, title, names));
}

// What `paintOn(pen, density)` draws, as a PNG of at least twice as many pixels.
export async function savePicture(width, height, title, paintOn) {
  const canvas = document.createElement("canvas");
  const density = Math.max(2, devicePixelRatio);
  canvas.width = width * density;
  canvas.height = height * density;
  const pen = canvas.getContext("2d");
  pen.scale(density, density);
  paintOn(pen, density);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), title, "png");
}

// A cell that begins like a formula is one for a spreadsheet, and names come from whoever logged.
const cell = (value) => {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export function csv(rows) {
  return `${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
}

export const saveCsv = (rows, title) => save(new Blob([csv(rows)], { type: "text/csv" }), title, "csv");

function save(blob, title, ending) {
  const link = h("a", { href: URL.createObjectURL(blob), download: `${title.replace(/[^\w.-]+/g, "_") || "chart"}.${ending}` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
