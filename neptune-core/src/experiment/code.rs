//! What of its code an experiment records, and when it ends.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use neptune_format::{VariablePath, WriterId};

use super::{
    artifacts::ArtifactSource,
    builder::ExperimentBuilder,
    state::{ExperimentHandle, State, WeakHandle},
};
use crate::{
    code::{Circumstances, CodeSettings, Package, Pattern, Recorder, Sources, Task},
    error::Result,
    session::Mode,
};

impl ExperimentBuilder {
    /// Keeps a copy of these files of the code: files, folders, and patterns as of a shell (`src/*.rs`, `**/*.toml`), within the
    /// folder of the package, or the current one where no package is known. Adds to what was named before.
    ///
    /// A background thread records all that is known about the code, how it was built and how it is run; `stop` waits for it for
    /// half of its deadline at most. Nothing of it fails or delays the start:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `source_code/git/...` | `commit`, `message`, `author`, `author_email`, `date`, `branch`, `upstream`, `ahead`, `behind`, `remotes` (without credentials), `dirty` (tracked files have changed), `untracked` (names); `trouble`: why something is missing |
    /// | `source_code/diff/head.patch` | what was not committed, in submodules too, up to 1 MiB |
    /// | `source_code/diff/upstream.patch` | what was committed and is not in the upstream branch, up to 1 MiB |
    /// | `source_code/files/...` | the files |
    /// | `source_code/Cargo.lock`, `source_code/dependencies` | the versions of all packages |
    /// | `source_code/left_out` | files that were left out, and why |
    /// | `source_code/digest` | of all of this; logged last |
    /// | `monitoring/WRITER/environment/...` | of this process: `arguments`, `working_folder`, `executable`, `package`, `features`, `variables`, and `build/` with `id`, `rustc`, `target`, `profile`, `opt_level`, `rustflags` |
    ///
    /// Without this verb the files are those that the program was compiled of, as cargo tells, as far as they lie in its
    /// workspace and have 16 MiB in all; named files may have 16 MiB each and 256 MiB together. Folders of build results, of git and of
    /// neptune are left out, as are links that lead elsewhere, and files whose names look like those of secrets (`.env`, `*.pem`,
    /// `credentials.json` and the like) unless they are named themselves; what was changed in those is in no diff either. A secret
    /// that stands in any other file is kept with it. A file that is missing, or that changes while it is to be kept, is
    /// counted in `source_code/left_out` and told on standard error.
    ///
    /// Git runs no program that the repository names. Filters that its own settings name (not those of the user, such as of
    /// `git lfs install`) are passed over: a file that has one and was touched counts as changed, and its diff shows it as it is on disk.
    ///
    /// What processes that join or resume the experiment run is compared: the same code is not recorded again, other code goes to
    /// `source_code/WRITER/...`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// let experiment = session.experiment().sources(["src", "Cargo.toml", "configs/*.toml"]).start()?;
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// At [`start`](ExperimentBuilder::start): `Invalid` for a path that leads out of the folder and a pattern that cannot be used.
    pub fn sources<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        for name in names {
            self.add_pattern(Pattern::named(name.as_ref()));
        }
        self
    }

    /// Keeps a copy of the files whose paths match a regular expression, from the folder of the package on and with `/` between the
    /// names: `\.(rs|toml)$`. Otherwise as [`sources`](Self::sources).
    ///
    /// # Errors
    /// At [`start`](ExperimentBuilder::start): `Invalid` for an expression that cannot be used.
    pub fn sources_matching(mut self, expression: &str) -> Self {
        self.add_pattern(Pattern::matching(expression));
        self
    }

    /// Keeps no copies of files; see [`sources`](Self::sources). What git knows is recorded all the same.
    pub fn without_sources(mut self) -> Self {
        self.code.sources = Sources::Off;
        self
    }

    /// Asks git nothing; see [`sources`](Self::sources).
    pub const fn without_git(mut self) -> Self {
        self.code.has_git = false;
        self
    }

    /// Says which package the program is of: `package(neptune_core::package!())`. Then its code is found wherever it runs on the
    /// machine that built it, and its version and features are recorded.
    pub fn package(mut self, package: Package) -> Self {
        self.code.package = Some(package);
        self
    }

    /// Records these variables of the environment, besides those that are known to matter: of CUDA, NCCL, OpenMP, Rayon, Slurm, and the
    /// ranks of processes. One whose name looks like that of a secret (`..._TOKEN`, `..._KEY`, `PASSWORD`) is refused, which is
    /// told on standard error.
    pub fn environment_variables<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.code.variables.extend(names.into_iter().map(Into::into));
        self
    }

    fn add_pattern(&mut self, pattern: Result<Pattern>) {
        match pattern {
            Ok(pattern) => self.code.sources.add(pattern),
            Err(error) => {
                self.wrong.get_or_insert(error);
            }
        }
    }
}

impl State {
    /// Starts the thread that records the code. Where no thread can be started the experiment goes without.
    pub(super) fn record_code(self: &Arc<Self>, settings: CodeSettings, writer: WriterId, is_maker: bool) {
        let keeps = matches!(self.session.mode(), Mode::Embedded | Mode::Offline);
        if self.edits || settings.is_off || !keeps || !self.session.inner.records_code {
            return;
        }
        let circumstances = Circumstances::take(&settings);
        let experiment = WeakHandle::new(Arc::downgrade(self));
        let session = self.session.clone();
        let task = Task { experiment, id: self.id, writer, session, is_maker, settings, circumstances };
        match Recorder::start(task) {
            Ok(recorder) => *self.recorder.lock().unwrap_or_else(PoisonError::into_inner) = Some(recorder),
            Err(error) => self.journal.losses().notice(|| format!("the code is not recorded: {error}")),
        }
    }

    /// Waits until the code is recorded, for `patience` at most.
    pub(super) fn finish_recording_code(&self, patience: Duration) {
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(recorder) = recorder
            && !recorder.finish(patience)
        {
            self.journal.losses().notice(|| "the experiment ended before its code was recorded".to_owned());
        }
    }
}

impl ExperimentHandle {
    /// Keeps bytes as a file of any path.
    pub(crate) fn keep_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.state.log_file(&VariablePath::new(path)?, ArtifactSource::Bytes(bytes)).map(drop)
    }
}
