// What fills an empty page: the least that logs something.

import { h } from "./dom.js";

export const snippet = () => h("pre", `let session = neptune_core::Session::from_env()?;
let experiment = session.experiment().name("first").start()?;
for step in 0..1000 {
    experiment.log_metric("loss", 1.0 / f64::from(step + 1));
}
experiment.stop()?;`);
