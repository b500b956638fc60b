// Small figures that stand in a table: a line, a histogram.

const SVG = "http://www.w3.org/2000/svg";

// As `h` of dom.js, of a drawing.
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

// The band between least and greatest over the steps; what is not finite leaves a gap.
export function sparkline(steps, least, greatest, width = 90, height = 20) {
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "sparkline", "aria-hidden": "true", preserveAspectRatio: "none" });
  const finite = steps.map((step, place) => [step, least[place], greatest[place]]).filter(([step, low]) => Number.isFinite(step) && Number.isFinite(low));
  if (finite.length === 0) return drawn;
  const [first, last] = [finite[0][0], finite.at(-1)[0]];
  const low = Math.min(...finite.map((point) => point[1]));
  const high = Math.max(...finite.map((point) => point[2]));
  const x = (step) => (last > first ? ((step - first) / (last - first)) * (width - 2) + 1 : width / 2);
  const y = (value) => (high > low ? height - 2 - ((value - low) / (high - low)) * (height - 4) : height / 2);
  const line = finite.flatMap(([step, lowest, greatest]) => [[x(step), y(lowest)], [x(step), y(greatest)]]);
  drawn.append(svg("polyline", { points: line.map(([left, top]) => `${left.toFixed(1)},${top.toFixed(1)}`).join(" "), fill: "none" }));
  return drawn;
}

// Bars over their edges, each as wide as its interval.
export function histogram({ edges, counts }, describe, width = 240, height = 120) {
  const most = Math.max(1, ...counts);
  const [first, last] = [edges[0], edges.at(-1)];
  const x = (edge) => ((edge - first) / (last - first)) * width;
  const bars = counts.map((count, place) => {
    const tall = (count / most) * (height - 4);
    const bar = svg("rect", { x: x(edges[place]).toFixed(2), y: (height - tall).toFixed(2), width: Math.max(0.5, x(edges[place + 1]) - x(edges[place]) - 0.5).toFixed(2), height: tall.toFixed(2) });
    bar.append(svg("title", {}, describe(edges[place], edges[place + 1], count)));
    return bar;
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "histogram", role: "img", "aria-label": "histogram", preserveAspectRatio: "none" }, ...bars);
}
