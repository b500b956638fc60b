//! Readings of the hardware, as each process logs them under `monitoring/<8 hexadecimal digits>/`: found, and told in a few
//! lines. Whatever else somebody logs there is no reading, and is shown like any other variable.

use std::collections::{BTreeMap, BTreeSet};

use neptune_core::AtomValue;
use neptune_store::read::{SeriesSummary, Variable, VariableValue};

use crate::{inert::inert, number};

/// Readings and facts of a machine and a process, beside those of its GPUs.
const NAMES: [&str; 13] = [
    "cpu",
    "ram",
    "process/cpu",
    "process/ram",
    "disk/read",
    "disk/written",
    "disk/free",
    "network/received",
    "network/sent",
    "hostname",
    "cpus",
    "ram_total",
    "gpu_driver",
];

/// What is wrong with the GPUs of a process, or `ok`.
const GPU_STATE: &str = "gpu_state";

/// Readings and facts of a GPU.
const OF_GPU: [&str; 7] = ["utilization", "memory", "process_memory", "power", "temperature", "name", "memory_total"];

/// The process and the name of the reading that `path` would be of.
pub(crate) fn parts(path: &str) -> Option<(&str, &str)> {
    const DIGITS: usize = 8;
    let (writer, name) = path.strip_prefix("monitoring/")?.split_once('/')?;
    let is_writer = writer.len() == DIGITS && writer.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let is_ours = NAMES.contains(&name) || name == GPU_STATE || gpu_of(name).is_some();
    (is_writer && is_ours).then_some((writer, name))
}

fn gpu_of(name: &str) -> Option<(u32, &str)> {
    let (index, name) = name.strip_prefix("gpu_")?.split_once('/')?;
    OF_GPU.contains(&name).then_some((index.parse().ok()?, name))
}

/// The readings of a process.
#[derive(Debug, Default)]
pub(crate) struct Machine<'a>(BTreeMap<&'a str, &'a VariableValue>);

/// The machines of an experiment with these `variables`, by the process that read them.
pub(crate) fn of(variables: &[Variable]) -> BTreeMap<&str, Machine<'_>> {
    let mut machines: BTreeMap<&str, Machine<'_>> = BTreeMap::new();
    for variable in variables {
        if let Some((writer, name)) = parts(&variable.path) {
            machines.entry(writer).or_default().0.insert(name, &variable.value);
        }
    }
    machines
}

impl<'a> Machine<'a> {
    /// The host it is.
    pub(crate) fn host(&self) -> Option<String> {
        self.atom("hostname").and_then(AtomValue::as_str).map(inert)
    }

    /// What tells the most: a title and what there is to say.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        let total =
            |name: &str, unit: &str| self.fact(name).map_or_else(String::new, |total| format!(" of {total}{unit}"));
        let mut told = Vec::new();
        if let Some(cpu) = self.reading("cpu", " %") {
            let cpus = self.fact("cpus").map_or_else(String::new, |cpus| format!(", {cpus} processors"));
            told.push(("cpu".to_owned(), format!("{cpu}{cpus}")));
        }
        if let Some(ram) = self.reading("ram", " GB") {
            told.push(("ram".to_owned(), format!("{ram}{}", total("ram_total", " GB"))));
        }
        let processes = [("cpu", "process/cpu", " %"), ("ram", "process/ram", " GB")];
        let process: Vec<String> = processes
            .into_iter()
            .filter_map(|(title, name, unit)| self.reading(name, unit).map(|reading| format!("{title} {reading}")))
            .collect();
        if !process.is_empty() {
            told.push(("process".to_owned(), process.join("; ")));
        }
        let gpus: BTreeSet<u32> = self.0.keys().filter_map(|name| gpu_of(name)).map(|(index, _)| index).collect();
        for index in gpus {
            let name = |name: &str| format!("gpu_{index}/{name}");
            let memory = self
                .reading(&name("memory"), " GB")
                .map(|memory| format!("memory {memory}{}", total(&name("memory_total"), " GB")));
            let model = self.atom(&name("name")).and_then(AtomValue::as_str).map(inert);
            let parts = [self.reading(&name("utilization"), " %"), memory, model];
            told.push((format!("gpu {index}"), parts.into_iter().flatten().collect::<Vec<_>>().join("; ")));
        }
        // Most machines have no GPU and a state that says so; only what is wrong besides is news.
        if let Some(state) = self.atom(GPU_STATE).and_then(AtomValue::as_str).filter(|state| *state != "ok") {
            told.push(("gpu".to_owned(), inert(state)));
        }
        told
    }

    fn atom(&self, name: &str) -> Option<&'a AtomValue> {
        match self.0.get(name)? {
            VariableValue::Atom(value) => Some(value),
            _ => None,
        }
    }

    fn fact(&self, name: &str) -> Option<String> {
        match self.atom(name)? {
            AtomValue::Float(value) => Some(number::short(*value)),
            AtomValue::Int(value) => Some(value.to_string()),
            _ => None,
        }
    }

    fn reading(&self, name: &str, unit: &str) -> Option<String> {
        let VariableValue::Series(summary) = self.0.get(name)? else { return None };
        let (mean, maximum) = (mean(summary)?, summary.statistics.maximum?);
        Some(format!("mean {}{unit}, max {}{unit}", number::short(mean), number::short(maximum)))
    }
}

/// The mean of the finite numbers of a series.
pub(crate) fn mean(summary: &SeriesSummary) -> Option<f64> {
    let finite = summary.statistics.count.saturating_sub(summary.statistics.nonfinite);
    (finite > 0 && summary.statistics.minimum.is_some()).then(|| summary.statistics.total / finite as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_hardware_is_read_into_is_a_reading() {
        assert_eq!(parts("monitoring/0a1b2c3d/cpu"), Some(("0a1b2c3d", "cpu")));
        assert_eq!(parts("monitoring/0a1b2c3d/gpu_12/memory_total"), Some(("0a1b2c3d", "gpu_12/memory_total")));
        for other in [
            "monitoring/log",
            "monitoring/0a1b2c3d/mine",
            "monitoring/0A1b2c3d/cpu",
            "monitoring/0a1b2c3/cpu",
            "monitoring/0a1b2c3d/gpu_x/memory",
            "monitoring/0a1b2c3d/gpu_0/mine",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
