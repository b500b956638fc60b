//! [`ExperimentBuilder`]: describing an experiment before it starts.

use std::{fmt, time::Duration};

use neptune_format::{AtomValue, ProjectName, VariablePath};
use serde::Serialize;

use super::flatten;
#[cfg(target_os = "linux")]
use crate::console::Console;
#[cfg(feature = "hardware")]
use crate::hardware::Readings;
use crate::{
    code::CodeSettings,
    error::{Error, ErrorKind},
    session::Session,
};

/// How long `stop` waits for the store unless it is told otherwise.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A description of an experiment, to be started. Setters that can fail say so at [`start`](ExperimentBuilder::start).
#[derive(Debug)]
#[must_use = "an experiment begins with `start`"]
pub struct ExperimentBuilder {
    pub(super) session: Session,
    pub(super) project: Option<ProjectName>,
    pub(super) id: Option<String>,
    pub(super) edits: bool,
    /// The project of the experiment, from who knows that it exists.
    pub(super) known_in: Option<ProjectName>,
    /// Whether an editor may make what is not there yet.
    pub(super) makes: bool,
    /// The experiment that this one goes on from, and the step.
    pub(super) fork: Option<(String, f64)>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) params: Vec<(VariablePath, AtomValue)>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) tags: Vec<String>,
    pub(super) stop_deadline: Duration,
    pub(super) watches_panics: bool,
    pub(super) watches_signals: Option<bool>,
    pub(super) on_abort: Callbacks,
    #[cfg(feature = "embedded")]
    pub(super) echoes: Option<bool>,
    #[cfg(feature = "hardware")]
    pub(super) hardware: Option<Readings>,
    #[cfg(target_os = "linux")]
    pub(super) console: Option<Console>,
    pub(super) code: CodeSettings,
    pub(super) wrong: Option<Error>,
}

impl ExperimentBuilder {
    pub(crate) const fn new(session: Session) -> Self {
        Self {
            session,
            project: None,
            id: None,
            edits: false,
            known_in: None,
            makes: false,
            fork: None,
            name: None,
            description: None,
            params: Vec::new(),
            properties: Vec::new(),
            tags: Vec::new(),
            stop_deadline: STOP_DEADLINE,
            watches_panics: true,
            watches_signals: None,
            on_abort: Callbacks(Vec::new()),
            #[cfg(feature = "embedded")]
            echoes: None,
            #[cfg(feature = "hardware")]
            hardware: None,
            #[cfg(target_os = "linux")]
            console: None,
            code: CodeSettings::new(),
            wrong: None,
        }
    }

    /// The project, `workspace/name`; the session's when it is not said.
    pub fn project(mut self, name: &str) -> Self {
        match name.parse() {
            Ok(project) => self.project = Some(project),
            Err(error) => self.wrong = self.wrong.or(Some(Error::from(error))),
        }
        self
    }

    pub(crate) fn in_project(mut self, project: ProjectName) -> Self {
        self.project = Some(project);
        self
    }

    /// Attaches to an experiment, by short id or UUID; see [`Session::attach`]. Wins over `NEPTUNE_EXPERIMENT_ID`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(crate) const fn editing(mut self) -> Self {
        self.edits = true;
        self
    }

    /// The experiment exists, in this project, and nothing else of it needs to be known.
    #[cfg(target_os = "linux")]
    pub(crate) fn known_in(mut self, project: ProjectName) -> Self {
        self.known_in = Some(project);
        #[cfg(feature = "embedded")]
        {
            self.echoes = Some(false);
        }
        self
    }

    /// Makes the experiment and does not run it: it has no state, neither running nor ended, until a process
    /// [attaches](Session::attach) to it. For a program that prepares experiments for others; `neptune fork` does so. Nothing is
    /// recorded of this process: neither its hardware, nor its output, nor its code. Dropping it is as good as
    /// [`Experiment::stop`](crate::Experiment::stop).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use neptune_core::ExperimentState;
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// let prepared = session.experiment().name("rate 0.1").without_run().start()?;
    /// let id = prepared.id().to_string();
    /// prepared.stop()?;
    /// assert_eq!(session.get(&id)?.state()?, ExperimentState::New);
    /// let experiment = session.attach(&id).start()?;
    /// assert_eq!(experiment.state()?, ExperimentState::Running);
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn without_run(mut self) -> Self {
        self.edits = true;
        self.makes = true;
        self
    }

    /// Records nothing of this process: neither its hardware, nor its output, nor its code. Another program made what is logged.
    #[cfg(feature = "import")]
    pub(crate) fn of_another_program(mut self) -> Self {
        #[cfg(feature = "hardware")]
        {
            self.hardware = Some(Readings::Off);
        }
        #[cfg(target_os = "linux")]
        {
            self.console = Some(Console::NONE);
        }
        self.code.is_off = true;
        self.echoes = Some(false);
        self
    }

    pub(super) const fn may_make(&self) -> bool {
        !self.edits || self.makes
    }

    pub(crate) fn forking(mut self, parent: &str, step: Option<f64>) -> Self {
        self.fork = step.map(|step| (parent.to_owned(), step));
        if step.is_none() {
            let wrong = Error::new(ErrorKind::Invalid, "a step must be a finite number");
            self.wrong = self.wrong.or(Some(wrong));
        }
        self
    }

    /// The name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the experiment is about.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Parameters, from anything that serialises to a map or a struct; see [`ExperimentHandle::log_params`](crate::ExperimentHandle::log_params).
    pub fn params<T: Serialize + ?Sized>(mut self, params: &T) -> Self {
        match flatten::parameters(params) {
            Ok(params) => self.params.extend(params),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// A property; see [`ExperimentHandle::set_property`](crate::ExperimentHandle::set_property).
    pub fn property(mut self, key: impl Into<String>, value: impl fmt::Display) -> Self {
        self.properties.push((key.into(), value.to_string()));
        self
    }

    /// Tags.
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// How long [`Experiment::stop`](crate::Experiment::stop) waits for the store at most; 10 seconds when it is not said.
    pub const fn stop_deadline(mut self, deadline: Duration) -> Self {
        self.stop_deadline = deadline;
        self
    }

    /// Has `callback` called once somebody asks for the experiment to be aborted; see [`ExperimentHandle::on_abort`](crate::ExperimentHandle::on_abort).
    pub fn on_abort(mut self, callback: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_abort.0.push(Box::new(callback));
        self
    }

    /// Also says what is logged on standard error, a line for each write, as `NEPTUNE_ECHO=on` does: for trying something out.
    ///
    /// A background thread says it once the store has it, half a second later or so, and at most 1,000 lines at a time. What
    /// neptune logs by itself, below `monitoring/`, `timing/` and `source_code/`, is left out; and what is said is not kept as output
    /// of the program. The step of a point that was logged without one is not known there. Whoever does not read standard error
    /// holds up the store, and [`stop`](crate::Experiment::stop) until its deadline; never a logging call. Offline and in debug mode
    /// nothing is said, because no thread reads what was logged.
    #[cfg(feature = "embedded")]
    pub const fn echo(mut self) -> Self {
        self.echoes = Some(true);
        self
    }

    /// Leaves panics alone: no hook is set for them. An experiment that a panic drops or that [`Experiment::run`](crate::Experiment::run) ends by one
    /// still fails; one whose process dies of it does not know why.
    pub const fn without_panics(mut self) -> Self {
        self.watches_panics = false;
        self
    }

    /// Leaves signals alone; `NEPTUNE_SIGNALS=off` does so for every experiment.
    ///
    /// Otherwise SIGTERM, SIGINT (Ctrl-C) and SIGHUP end the experiment as aborted, with the name of the signal as the reason,
    /// and the process dies of the signal within two seconds, as it would have at once. What was logged is kept in any case. A
    /// second signal does not wait. A signal that the program ignores or has a handler for, whenever it was installed, is the
    /// program's: it may end the experiment with [`Experiment::abort`](crate::Experiment::abort). A program that insists on being the first to install a
    /// handler (`ctrlc::try_set_handler`) does so before the experiment starts, or uses this.
    pub const fn without_signals(mut self) -> Self {
        self.watches_signals = Some(false);
        self
    }

    /// How often the hardware is read: every 3 seconds when neither this nor `NEPTUNE_HARDWARE` (seconds, or `off`) says
    /// otherwise, and at most four times a second.
    ///
    /// A background thread reads it, for the first time a second after the start, and once more at the end; an experiment
    /// that is shorter has no readings. A reading takes about a thousandth of a second. The readings are series under
    /// `monitoring/WRITER/`, where `WRITER` stands for this process:
    ///
    /// | series | meaning |
    /// |---|---|
    /// | `cpu` | processors of the whole machine, in percent, 0 to 100 |
    /// | `ram` | memory in use, in GB (10^9 bytes), without cached files |
    /// | `process/cpu` | this process, in percent of one processor: 400 is four of them |
    /// | `process/ram` | resident memory of this process, in GB |
    /// | `disk/read`, `disk/written` | all disks of the machine, in MB/s |
    /// | `disk/free` | free space where the experiments are kept, in GB |
    /// | `network/received`, `network/sent` | all network interfaces, in MB/s |
    /// | `gpu_0/utilization` | share of the time in which the GPU worked, in percent |
    /// | `gpu_0/memory`, `gpu_0/process_memory` | memory in use on the GPU, in all and by this process, in GB |
    /// | `gpu_0/power`, `gpu_0/temperature` | in W, and in degrees Celsius |
    ///
    /// Memory is that of the machine or, where a control group gives this process less, as in most containers, that of the
    /// group: reaching its limit is what kills the process. Real disks and interfaces count; in a container without any,
    /// every interface but the loopback. Children of this process are no part of `process`.
    ///
    /// Beside them stand atoms: `hostname`, `cpus` (how many this process may use), `ram_total`, `gpu_driver`,
    /// `gpu_0/name`, `gpu_0/memory_total`, and `gpu_state`: `ok`, or what is wrong. GPUs are those of NVIDIA that the driver
    /// shows this process, numbered as by `nvidia-smi`. Its library is found as usual, or at `NEPTUNE_NVML_LIBRARY`. What
    /// cannot be read is left out; in some containers that is `gpu_0/process_memory`.
    #[cfg(feature = "hardware")]
    pub fn hardware_every(mut self, time: Duration) -> Self {
        self.hardware = Some(Readings::every(time));
        self
    }

    /// Does not read the hardware; see [`hardware_every`](Self::hardware_every).
    #[cfg(feature = "hardware")]
    pub const fn without_hardware(mut self) -> Self {
        self.hardware = Some(Readings::Off);
        self
    }
}

/// What is to be called when somebody asks for the experiment to be aborted.
pub(super) struct Callbacks(pub(super) Vec<Callback>);

type Callback = Box<dyn Fn(&str) + Send + Sync>;

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} callbacks", self.0.len())
    }
}
