//! The environment: the only place that reads it.
//!
//! What the program says wins over the environment, and the environment wins over the defaults.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::{env, path::PathBuf};
#[cfg(feature = "hardware")]
use std::{ffi::OsString, time::Duration};

use neptune_format::ProjectName;

#[cfg(target_os = "linux")]
use crate::console::Console;
#[cfg(feature = "hardware")]
use crate::hardware::Readings;
use crate::{
    error::{Error, ErrorKind, Result},
    quota,
    session::Mode,
    token::ApiToken,
};

const DEFAULT_FOLDER: &str = ".neptune";
const DEFAULT_PROJECT: &str = "local/default";

/// `NEPTUNE_DIR`, or `.neptune` in the current directory.
pub(crate) fn folder() -> PathBuf {
    env::var_os("NEPTUNE_DIR").filter(|folder| !folder.is_empty()).map_or_else(|| DEFAULT_FOLDER.into(), PathBuf::from)
}

/// `NEPTUNE_PROJECT`, or `local/default`.
pub(crate) fn project() -> Result<ProjectName> {
    let name = text("NEPTUNE_PROJECT")?.unwrap_or_else(|| DEFAULT_PROJECT.to_owned());
    name.parse().map_err(|error| Error::new(ErrorKind::Invalid, "NEPTUNE_PROJECT cannot be used").because(error))
}

/// `NEPTUNE_MODE`, or embedded.
pub(crate) fn mode() -> Result<Mode> {
    match text("NEPTUNE_MODE")? {
        Some(mode) => mode.parse(),
        None => Ok(Mode::default()),
    }
}

/// `NEPTUNE_STORAGE_LIMIT`: how many bytes files may take, or `off`.
pub(crate) fn storage_limit() -> Result<Option<u64>> {
    const NAME: &str = "NEPTUNE_STORAGE_LIMIT";
    match text(NAME)?.as_deref() {
        None | Some("off") => Ok(None),
        Some(limit) => match quota::parse(limit) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Error::new(
                ErrorKind::Invalid,
                format!("{NAME} is {limit:?}; it is a size, such as 50GB or 2TiB, or off"),
            )),
        },
    }
}

/// `NEPTUNE_API_TOKEN`: who the session is, to a server.
pub(crate) fn token() -> Result<Option<ApiToken>> {
    text("NEPTUNE_API_TOKEN")?.map(|token| token.parse()).transpose()
}

/// `NEPTUNE_EXPERIMENT_ID`: the experiment to attach to.
pub(crate) fn experiment() -> Result<Option<String>> {
    text("NEPTUNE_EXPERIMENT_ID")
}

/// Who runs this program, as far as the environment says.
pub(crate) fn owner() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|owner| !owner.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// `NEPTUNE_SIGNALS`: whether signals that end the process end its experiments; `on`, or `off`.
pub(crate) fn signals() -> Result<bool> {
    const NAME: &str = "NEPTUNE_SIGNALS";
    match text(NAME)?.as_deref() {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(word) => Err(Error::new(ErrorKind::Invalid, format!("{NAME} is {word:?}; it is on or off"))),
    }
}

/// `NEPTUNE_ECHO`: whether what is logged is also said on standard error; `on`, or `off`.
#[cfg(feature = "embedded")]
pub(crate) fn echo() -> Result<bool> {
    const NAME: &str = "NEPTUNE_ECHO";
    match text(NAME)?.as_deref() {
        None | Some("off" | "0") => Ok(false),
        Some("on" | "1") => Ok(true),
        Some(word) => Err(Error::new(ErrorKind::Invalid, format!("{NAME} is {word:?}; it is on or off"))),
    }
}

/// `NEPTUNE_HARDWARE`: how many seconds lie between readings of the hardware, or `off`.
#[cfg(feature = "hardware")]
pub(crate) fn hardware() -> Result<Readings> {
    const NAME: &str = "NEPTUNE_HARDWARE";
    match text(NAME)?.as_deref() {
        None => Ok(Readings::default()),
        Some("off") => Ok(Readings::Off),
        Some(seconds) => match seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            Some(time) => Ok(Readings::every(time)),
            None => Err(Error::new(
                ErrorKind::Invalid,
                format!("{NAME} is {seconds:?}; it is a number of seconds, such as 3, or off"),
            )),
        },
    }
}

/// The variable by which a process is started to be the relay of a console; see [`crate::console`].
#[cfg(target_os = "linux")]
pub(crate) const CONSOLE_RELAY: &str = "NEPTUNE_CONSOLE_RELAY";

/// Which socket this process is to take orders from, if it was started to be a relay.
#[cfg(target_os = "linux")]
pub(crate) fn console_relay() -> Option<String> {
    env::var_os(CONSOLE_RELAY)?.into_string().ok()
}

/// `NEPTUNE_CONSOLE`: what of the console is captured: `all`, `stdout`, `stderr` or `off`.
#[cfg(target_os = "linux")]
pub(crate) fn console() -> Result<Console> {
    const NAME: &str = "NEPTUNE_CONSOLE";
    match text(NAME)?.as_deref() {
        None | Some("all") => Ok(Console::ALL),
        Some("off") => Ok(Console::NONE),
        Some("stdout") => Ok(Console { stderr: false, ..Console::ALL }),
        Some("stderr") => Ok(Console { stdout: false, ..Console::ALL }),
        Some(other) => {
            Err(Error::new(ErrorKind::Invalid, format!("{NAME} is {other:?}; it is all, stdout, stderr or off")))
        }
    }
}

/// `NEPTUNE_NVML_LIBRARY`: the file of the library of the NVIDIA driver, where it is not `libnvidia-ml.so.1` in the usual
/// places.
#[cfg(feature = "hardware")]
pub(crate) fn nvml_library() -> Option<OsString> {
    env::var_os("NEPTUNE_NVML_LIBRARY").filter(|library| !library.is_empty())
}

/// `NEPTUNE_CODE`: whether experiments record their code, environment and build; `off` when they do not.
pub(crate) fn records_code() -> Result<bool> {
    const NAME: &str = "NEPTUNE_CODE";
    match text(NAME)?.as_deref() {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(Error::new(ErrorKind::Invalid, format!("{NAME} is {other:?}; it is on or off"))),
    }
}

/// A variable of the environment, as text.
pub(crate) fn variable(name: &str) -> Option<String> {
    // The standard library panics at names that no variable can have.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// `CARGO_MANIFEST_DIR`: the folder of the package, when cargo runs the program.
pub(crate) fn manifest_folder() -> Option<PathBuf> {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute() && folder.is_dir())
}

/// `CARGO_PKG_NAME` and `CARGO_PKG_VERSION`, when cargo runs the program.
pub(crate) fn cargo_package() -> Option<(String, String)> {
    Some((variable("CARGO_PKG_NAME")?, variable("CARGO_PKG_VERSION")?))
}

fn text(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::new(ErrorKind::Invalid, format!("{name} is not valid UTF-8"))),
    }
}
