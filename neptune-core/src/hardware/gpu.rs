//! NVIDIA GPUs, as the driver's library (NVML) tells of them.
//!
//! A machine without a GPU is a normal one: then there is a word about it, and no readings. Each fault is said once. What
//! the driver refuses for good is not asked for again; a GPU that is lost is not touched again.

use std::ffi::OsStr;

use nvml_wrapper::{
    Device, Nvml, enum_wrappers::device::TemperatureSensor, enums::device::UsedGpuMemory, error::NvmlError,
    struct_wrappers::device::ProcessInfo,
};

use super::{
    names,
    reading::{Reading, gigabytes},
};

/// How often something may fail in a row before it is not asked for again.
const TRIES: u8 = 3;

/// The atom that says what is wrong.
pub(super) const STATE: &str = "gpu_state";

/// The GPUs that the driver shows this process.
pub(super) struct Gpus {
    nvml: Option<Nvml>,
    known: Vec<Gpu>,
    faults: Faults,
}

struct Gpu {
    index: u32,
    /// How often it failed in a row as a whole.
    failures: u8,
    /// How often each of [`QUANTITIES`] failed in a row.
    failures_of: [u8; QUANTITIES.len()],
}

/// Something of a GPU that is read.
#[derive(Clone, Copy)]
struct Quantity {
    name: &'static str,
    read: fn(&Device<'_>) -> Result<Option<f64>, NvmlError>,
}

const QUANTITIES: [Quantity; 5] = [
    Quantity { name: names::UTILIZATION, read: |device| Ok(Some(f64::from(device.utilization_rates()?.gpu))) },
    Quantity { name: names::MEMORY, read: |device| Ok(Some(gigabytes(device.memory_info()?.used))) },
    Quantity { name: "power", read: |device| Ok(Some(f64::from(device.power_usage()?) / 1e3)) },
    Quantity { name: "temperature", read: |device| Ok(Some(f64::from(device.temperature(TemperatureSensor::Gpu)?))) },
    Quantity { name: "process_memory", read: |device| Ok(process_memory(device)?.map(gigabytes)) },
];

/// What to do about an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The GPU is gone until the machine is seen to.
    Lost,
    /// It will be the same the next time.
    Refused,
    /// It may go the next time.
    Passing,
}

impl Gpus {
    /// Loads the driver's library, from `library` if that is said, and finds the GPUs.
    pub(super) fn find(library: Option<&OsStr>, found: &mut Reading) -> Self {
        let mut gpus = Self { nvml: None, known: Vec::new(), faults: Faults::default() };
        match load(library) {
            Ok(nvml) => gpus.look(nvml, found),
            Err(error) => gpus.faults.add(&unloadable(&error, library, found)),
        }
        found.atom(STATE, gpus.faults.to_string());
        gpus
    }

    fn look(&mut self, nvml: Nvml, found: &mut Reading) {
        if let Ok(version) = nvml.sys_driver_version() {
            found.atom("gpu_driver", version);
        }
        match nvml.device_count() {
            Ok(0) => return self.faults.add("no NVIDIA GPU"),
            Ok(count) => {
                let gpu = |index| Gpu { index, failures: 0, failures_of: [0; QUANTITIES.len()] };
                self.known = (0..count).map(gpu).collect();
            }
            Err(error) => {
                return self.faults.add(&format!("the NVIDIA driver does not say which GPUs there are: {error}"));
            }
        }
        for gpu in &self.known {
            let Ok(device) = nvml.device_by_index(gpu.index) else { continue };
            if let Ok(name) = device.name() {
                found.atom(names::of_gpu(gpu.index, "name"), name);
            }
            if let Ok(memory) = device.memory_info() {
                found.atom(names::of_gpu(gpu.index, "memory_total"), gigabytes(memory.total));
            }
        }
        self.nvml = Some(nvml);
    }

    /// Reads every GPU once.
    pub(super) fn read(&mut self, found: &mut Reading) {
        let Some(nvml) = &self.nvml else { return };
        let said = self.faults.0.len();
        for gpu in &mut self.known {
            gpu.read(nvml, found, &mut self.faults);
        }
        if self.faults.0.len() > said {
            found.atom(STATE, self.faults.to_string());
        }
    }
}

impl Gpu {
    fn read(&mut self, nvml: &Nvml, found: &mut Reading, faults: &mut Faults) {
        let index = self.index;
        if self.failures >= TRIES {
            return;
        }
        let device = match nvml.device_by_index(index) {
            Ok(device) => device,
            Err(error) => {
                self.failed(&error, found, faults);
                return;
            }
        };
        self.failures = 0;
        for (quantity, failures) in QUANTITIES.iter().zip(&mut self.failures_of) {
            if *failures >= TRIES {
                continue;
            }
            match (quantity.read)(&device) {
                Ok(value) => {
                    *failures = 0;
                    if let Some(value) = value {
                        found.point(names::of_gpu(index, quantity.name), value);
                    }
                }
                Err(error) if Fault::of(&error) == Fault::Lost => {
                    self.failed(&error, found, faults);
                    return;
                }
                Err(error) => {
                    *failures = Fault::of(&error).counted(*failures);
                    let name = quantity.name.replace('_', " ");
                    faults.add(&match error {
                        NvmlError::NoPermission => format!("not permitted to read {name} of GPU {index}"),
                        NvmlError::NotSupported | NvmlError::FunctionNotFound | NvmlError::FailedToLoadSymbol(_) => {
                            format!("GPU {index} or its driver does not tell {name}")
                        }
                        error => format!("{name} of GPU {index} cannot be read: {error}"),
                    });
                }
            }
        }
    }

    /// The GPU as a whole failed.
    fn failed(&mut self, error: &NvmlError, found: &mut Reading, faults: &mut Faults) {
        let index = self.index;
        let fault = Fault::of(error);
        self.failures = fault.counted(self.failures);
        let sentence = match error {
            NvmlError::NoPermission => format!("not permitted to read GPU {index}"),
            _ if fault == Fault::Lost => format!("GPU {index} is lost"),
            error => format!("GPU {index} cannot be read: {error}"),
        };
        faults.add(&sentence);
        if fault == Fault::Lost {
            found
                .notices
                .push(format!("{sentence}: {error}. Its readings end here; see `nvidia-smi` and the kernel's log"));
        }
    }
}

impl Fault {
    const fn of(error: &NvmlError) -> Self {
        match error {
            NvmlError::GpuLost | NvmlError::ResetRequired => Self::Lost,
            NvmlError::Timeout
            | NvmlError::InUse
            | NvmlError::NoData
            | NvmlError::IrqIssue
            | NvmlError::OperatingSystem
            | NvmlError::InsufficientMemory
            | NvmlError::InsufficientSize(_)
            | NvmlError::Unknown => Self::Passing,
            _ => Self::Refused,
        }
    }

    /// How often it failed in a row, when it failed `before` times before.
    const fn counted(self, before: u8) -> u8 {
        match self {
            Self::Passing => before.saturating_add(1),
            Self::Lost | Self::Refused => TRIES,
        }
    }
}

/// What was found to be wrong so far, each once.
#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, sentence: &str) {
        if self.0.iter().all(|said| said != sentence) {
            self.0.push(sentence.to_owned());
        }
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&if self.0.is_empty() { "ok".to_owned() } else { self.0.join("; ") })
    }
}

fn load(library: Option<&OsStr>) -> Result<Nvml, NvmlError> {
    let mut builder = Nvml::builder();
    if let Some(library) = library {
        builder.lib_path(library);
    }
    builder.init()
}

/// Why the library cannot be used.
fn unloadable(error: &NvmlError, library: Option<&OsStr>, found: &mut Reading) -> String {
    match (error, library) {
        (NvmlError::LibloadingError(_), None) => "no NVIDIA driver".to_owned(),
        (NvmlError::LibloadingError(_), Some(_)) => {
            let sentence = format!("NEPTUNE_NVML_LIBRARY cannot be loaded: {error}");
            found.notices.push(sentence.clone());
            sentence
        }
        (NvmlError::DriverNotLoaded, _) => "the NVIDIA driver is not loaded".to_owned(),
        (NvmlError::NoPermission, _) => "not permitted to talk to the NVIDIA driver".to_owned(),
        (NvmlError::LibRmVersionMismatch, _) => {
            let sentence = "the NVIDIA driver and its library are of different versions";
            found
                .notices
                .push(format!("{sentence}: restart the machine, or reload the driver, for readings of the GPUs"));
            sentence.to_owned()
        }
        (error, _) => format!("the NVIDIA driver cannot be used: {error}"),
    }
}

/// The memory of the GPU that this process holds, in bytes; `None` when the driver does not list this process: it does not
/// use the GPU, or the driver knows it by another number, as in some containers.
fn process_memory(device: &Device<'_>) -> Result<Option<u64>, NvmlError> {
    let me = std::process::id();
    let held = |processes: Vec<ProcessInfo>| {
        // A process is listed once for each part of a GPU that is divided.
        processes
            .into_iter()
            .filter(|process| process.pid == me)
            .filter_map(|process| match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            })
            .reduce(u64::saturating_add)
    };
    // A process that computes and draws is in both lists with the same memory.
    Ok(held(device.running_compute_processes()?).max(held(device.running_graphics_processes()?)))
}
