// A pen that writes SVG: what chart-draw.js asks of a canvas, and no more.

const escaped = (text) => String(text).replace(/[<>&"]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" })[sign]);
const round = (place) => Math.round(place * 100) / 100;

export class SvgPen {
  #parts = [];
  #path = [];
  #dash = [];
  #clips = 0;

  constructor(width, height) {
    Object.assign(this, { width, height, strokeStyle: "#000", fillStyle: "#000", lineWidth: 1, globalAlpha: 1, textAlign: "left", textBaseline: "alphabetic", font: "", lineJoin: "bevel" });
  }

  save() { this.#parts.push("<g>"); }
  restore() { this.#parts.push("</g>".repeat(1 + this.#clips)); this.#clips = 0; }
  beginPath() { this.#path = []; }
  moveTo(x, y) { this.#path.push(`M${round(x)} ${round(y)}`); }
  lineTo(x, y) { this.#path.push(`L${round(x)} ${round(y)}`); }
  closePath() { this.#path.push("Z"); }
  rect(x, y, width, height) { this.#path.push(`M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}Z`); }
  setLineDash(dash) { this.#dash = dash; }

  // Only whole circles are drawn.
  arc(x, y, radius) { this.#path.push(`M${round(x - radius)} ${round(y)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`); }

  clip() {
    this.#clips += 1;
    this.#parts.push(`<clipPath id="inside"><path d="${this.#path.join("")}"/></clipPath><g clip-path="url(#inside)">`);
  }

  stroke() {
    if (this.#path.length === 0) return;
    const dash = this.#dash.length > 0 ? ` stroke-dasharray="${this.#dash.join(" ")}"` : "";
    this.#parts.push(`<path fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-opacity="${this.globalAlpha}"${dash} d="${this.#path.join("")}"/>`);
  }

  fill() {
    if (this.#path.length > 0) this.#parts.push(`<path fill="${escaped(this.fillStyle)}" fill-opacity="${this.globalAlpha}" d="${this.#path.join("")}"/>`);
  }

  fillRect(x, y, width, height) { this.#parts.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${escaped(this.fillStyle)}"/>`); }

  fillText(text, x, y) {
    const anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    const shift = { top: "0.8em", middle: "0.32em", alphabetic: "0" }[this.textBaseline];
    this.#parts.push(`<text x="${round(x)}" y="${round(y)}" dy="${shift}" text-anchor="${anchor}" fill="${escaped(this.fillStyle)}">${escaped(text)}</text>`);
  }

  text() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}" font-family="system-ui, sans-serif" font-size="11">${this.#parts.join("")}</svg>\n`;
  }
}
