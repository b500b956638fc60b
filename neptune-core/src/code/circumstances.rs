//! [`Circumstances`]: how the program was run. Taken by the thread that starts the experiment, because a program may change its
//! environment and its folder later.

use std::{
    env,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{secrets, settings::CodeSettings};
use crate::config;

/// The longest value of a variable that is kept, in bytes.
const MOST_VALUE: usize = 4096;

/// The variables of the environment that are kept: they change what a training does, and hold no secrets.
const VARIABLES: [&str; 44] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_DEVICE_ORDER",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "NCCL_DEBUG",
    "NCCL_SOCKET_IFNAME",
    "NCCL_P2P_DISABLE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
    "TOKENIZERS_PARALLELISM",
    "LD_PRELOAD",
    "LIBTORCH",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "RUSTFLAGS",
    "RANK",
    "LOCAL_RANK",
    "GROUP_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_PARTITION",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_PROCID",
    "SLURM_LOCALID",
    "SLURM_NTASKS",
    "SLURM_NNODES",
    "SLURM_NODELIST",
    "PBS_JOBID",
    "LSB_JOBID",
    "JOB_ID",
    "CONDA_DEFAULT_ENV",
];

/// The package of a program, as its compiler knew it: made by [`package!`](crate::package).
#[derive(Debug, Clone)]
pub struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) folder: PathBuf,
    /// The features that were asked for, and whether each is on.
    pub(super) features: Vec<(String, bool)>,
}

impl Package {
    #[doc(hidden)]
    pub fn new(name: &str, version: &str, folder: &str, features: &[(&str, bool)]) -> Self {
        let features = features.iter().map(|(name, is_on)| ((*name).to_owned(), *is_on)).collect();
        Self { name: name.to_owned(), version: version.to_owned(), folder: folder.into(), features }
    }
}

/// The [`Package`](crate::Package) that this is written in, for
/// [`ExperimentBuilder::package`](crate::ExperimentBuilder::package): its name, its version, its folder, and which of the
/// features that are named here are on.
///
/// ```
/// let package = neptune_core::package!();
/// ```
///
/// With features: `neptune_core::package!(features: ["cuda", "flash-attention"])`.
#[macro_export]
macro_rules! package {
    () => {
        $crate::package!(features: [])
    };
    (features: [$($feature:tt),* $(,)?]) => {
        $crate::Package::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::env!("CARGO_MANIFEST_DIR"),
            &[$(($feature, ::core::cfg!(feature = $feature))),*],
        )
    };
}

/// How the program was run.
#[derive(Debug)]
pub(crate) struct Circumstances {
    /// Without what looks secret.
    pub(super) arguments: Vec<String>,
    pub(super) working_folder: Option<PathBuf>,
    pub(super) executable: Option<PathBuf>,
    pub(super) variables: Vec<(String, String)>,
    /// Variables that were asked for and look like secrets.
    pub(super) refused: Vec<String>,
    /// The folder of the program's package, where it is known.
    pub(super) home: Option<PathBuf>,
    /// The name and the version of the package, where they are known.
    pub(super) package: Option<(String, String)>,
    pub(super) features: Vec<(String, bool)>,
}

impl Circumstances {
    pub(crate) fn take(settings: &CodeSettings) -> Self {
        let working_folder = env::current_dir().ok();
        let mut found = Self {
            arguments: secrets::masked_arguments(
                env::args_os().map(|argument| argument.to_string_lossy().into_owned()),
            ),
            executable: env::current_exe().ok(),
            variables: Vec::new(),
            refused: Vec::new(),
            home: None,
            package: None,
            features: Vec::new(),
            working_folder,
        };
        let named = settings.variables.iter().map(String::as_str);
        for name in VARIABLES.into_iter().chain(named) {
            if secrets::is_name_of_secret(name) {
                found.refused.push(name.to_owned());
            } else if let Some(value) = config::variable(name)
                && !found.variables.iter().any(|(other, _)| other == name)
            {
                let value = secrets::masked_value(value.get(..value.floor_char_boundary(MOST_VALUE)).unwrap_or(&value));
                found.variables.push((name.to_owned(), value));
            }
        }
        // What the program says of itself is surer than what cargo told some process before it.
        let named = settings.package.as_ref();
        found.home = named
            .map(|package| package.folder.clone())
            .filter(|folder| folder.is_dir())
            .or_else(config::manifest_folder);
        found.package =
            named.map(|package| (package.name.clone(), package.version.clone())).or_else(config::cargo_package);
        found.features = named.map(|package| package.features.clone()).unwrap_or_default();
        found
    }

    /// What is logged of it, by name.
    pub(super) fn atoms(&self) -> Vec<(String, neptune_format::AtomValue)> {
        use neptune_format::AtomValue::{Bool, Json, String};
        let path = |path: &Path| String(path.to_string_lossy().into_owned());
        let mut atoms = vec![("arguments".to_owned(), Json(json!(first_of(&self.arguments)).to_string()))];
        atoms.extend(self.working_folder.as_deref().map(|folder| ("working_folder".to_owned(), path(folder))));
        atoms.extend(self.executable.as_deref().map(|file| ("executable".to_owned(), path(file))));
        if let Some((name, version)) = &self.package {
            atoms.push(("package".to_owned(), String(format!("{name} {version}"))));
        }
        atoms.extend(self.features.iter().map(|(name, is_on)| (format!("features/{name}"), Bool(*is_on))));
        atoms.extend(self.variables.iter().map(|(name, value)| (format!("variables/{name}"), String(value.clone()))));
        atoms
    }
}

/// As many of the arguments as are kept, with how many there are more: a program may be given the names of a million files.
fn first_of(arguments: &[String]) -> Vec<String> {
    const MOST_BYTES: usize = 128 << 10;
    let mut left = MOST_BYTES;
    let fits = |argument: &&String| {
        let room = left.checked_sub(argument.len() + 8);
        left = room.unwrap_or_default();
        room.is_some()
    };
    let mut first: Vec<String> = arguments.iter().take_while(fits).cloned().collect();
    let more = arguments.len() - first.len();
    if more > 0 {
        first.push(format!("... and {more} more"));
    }
    first
}
