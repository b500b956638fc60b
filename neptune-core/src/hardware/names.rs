//! The paths under which readings are kept: `monitoring/<writer>/...`, because each process has its own machine.

use neptune_format::WriterId;

pub(super) const CPU: &str = "cpu";
pub(super) const RAM: &str = "ram";
pub(super) const UTILIZATION: &str = "utilization";
pub(super) const MEMORY: &str = "memory";

/// The namespace of a writer's readings.
pub(crate) fn namespace(writer: WriterId) -> String {
    format!("monitoring/{}", writer.short())
}

/// The path of `name` of a GPU, within the namespace of a writer.
#[cfg(feature = "hardware")]
pub(super) fn of_gpu(index: u32, name: &str) -> String {
    format!("gpu_{index}/{name}")
}

/// The number of the GPU and the name that `path` is made of, if it is one of a GPU.
pub(super) fn gpu_of(path: &str) -> Option<(u32, &str)> {
    let (index, name) = path.strip_prefix("gpu_")?.split_once('/')?;
    Some((index.parse().ok()?, name))
}
