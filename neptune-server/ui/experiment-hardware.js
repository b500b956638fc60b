// How the machines were used while an experiment ran: a chart for each reading of each process.

import { fill, h } from "./dom.js";
import { chartsOf } from "./experiment-charts.js";
import * as format from "./format.js";
import { whenChanged } from "./keyed.js";

export async function show(place, page) {
  const machines = h("section.machines");
  const room = h("div.room");
  fill(place, machines, room);

  const showMachines = ({ variables }) => {
    const known = machinesOf(variables);
    whenChanged(machines, known, () => fill(machines, known.map(({ process, facts }) => h("div", h("b", facts.get("hostname") ?? "a machine"), h("code.dim", ` ${process} `),
      [...facts].filter(([name]) => name !== "hostname").map(([name, value]) => h("span.tag", { title: `monitoring/${process}/${name}` }, `${name.replaceAll("_", " ").replaceAll("/", " ")}: ${value}`))))));
  };
  showMachines(await page.variables());
  const charts = await chartsOf(room, page, (path) => path.startsWith("monitoring/"), nothing, { closed: [] });
  return {
    async changed() { showMachines(await page.latest()); await charts.changed(); },
    update: charts.update,
    close: charts.close,
  };
}

// What each process says of its machine once, by process.
function machinesOf(variables) {
  const found = new Map();
  for (const { path, kind, value } of variables) {
    const parts = /^monitoring\/([0-9a-f]{8})\/(.+)$/.exec(path);
    if (parts === null || !kind.startsWith("Atom") || parts[2].startsWith("environment/")) continue;
    const [, process, name] = parts;
    if (!found.has(process)) found.set(process, new Map());
    found.get(process).set(name, /ram_total|memory_total/.test(name) ? `${format.number(Math.round(value * 10) / 10)} GB` : format.value(value));
  }
  return [...found].map(([process, facts]) => ({ process, facts }));
}

function nothing() {
  return h("div.empty", h("h2", "Nothing was measured yet"),
    h("p", "Processor, memory, disks, network and NVIDIA GPUs are read every few seconds while an experiment runs, unless it is started ", h("code", ".without_hardware()"), "."));
}
