// All projects of the folder.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import * as live from "./live.js";
import { snippet } from "./empty.js";

export async function show(place) {
  async function look() {
    const { projects } = await get("/projects");
    if (projects.length === 0) {
      fill(place, h("div.empty", h("h2", "Nothing was logged here yet"), h("p", "Log something, and it appears here by itself:"), snippet()));
      return;
    }
    fill(place, h("div.projects", projects.map((project) => h("a.card", { href: `/p/${project.name.split("/").map(encodeURIComponent).join("/")}` },
      h("h2", project.name),
      h("div.dim", `${project.experiments} ${project.experiments === 1 ? "experiment" : "experiments"}`),
      project.running > 0 && h("div.state", { "data-state": "running" }, `${project.running} running`),
      project.failed > 0 && h("div.state", { "data-state": "failed" }, `${project.failed} failed`)))));
  }
  await look();
  return { close: live.onChange(look), where: [h("span", "projects")] };
}
