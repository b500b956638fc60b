//! The hardware while an experiment runs: processor, memory, disks, network and NVIDIA GPUs.
//!
//! A thread of its own asks for everything here, because a driver may be slow or hang; nothing here fails a trainer. What
//! cannot be read is left out, and said once.

pub(crate) mod names;

#[cfg(feature = "hardware")]
mod reading;

#[cfg(feature = "hardware")]
mod traffic;

#[cfg(feature = "hardware")]
mod machine;

#[cfg(feature = "hardware")]
mod gpu;

#[cfg(feature = "hardware")]
mod monitor;

#[cfg(feature = "embedded")]
mod table;

#[cfg(feature = "hardware")]
pub(crate) use monitor::{Monitor, Readings};
#[cfg(feature = "embedded")]
pub use table::HardwareUtilization;
