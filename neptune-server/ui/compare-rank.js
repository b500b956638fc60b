// Spearman's rank correlation: how far one thing grows with another, whatever the curve. It says nothing of causes.

// The fewest pairs of which anything is said.
export const FEWEST = 3;

// The rank of each value; equal values share the mean of their ranks.
function ranks(values) {
  const order = Array.from(values.keys()).sort((one, other) => values[one] - values[other]);
  const found = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to += 1;
    for (let place = from; place < to; place += 1) found[order[place]] = (from + to - 1) / 2;
  }
  return found;
}

// { rho, count }: of the pairs that are both finite and kept. `rho` is null where fewer than three are, or one side does not differ.
export function spearman(one, other, kept = null) {
  const places = Array.from(one.keys()).filter((place) => Number.isFinite(one[place]) && Number.isFinite(other[place]) && (kept === null || kept[place] === 1));
  const count = places.length;
  if (count < FEWEST) return { rho: null, count };
  const [x, y] = [ranks(places.map((place) => one[place])), ranks(places.map((place) => other[place]))];
  const mean = (count - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let place = 0; place < count; place += 1) {
    const [dx, dy] = [x[place] - mean, y[place] - mean];
    xy += dx * dy; xx += dx * dx; yy += dy * dy;
  }
  return { rho: xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy), count };
}

export const rhoText = (rho) => `${rho < 0 ? "\u2212" : "+"}${Math.abs(rho).toFixed(2)}`;
