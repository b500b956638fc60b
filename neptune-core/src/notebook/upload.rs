//! [`NotebookFile`]: a notebook on its way into a project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use neptune_format::{ExperimentId, ObjectId, ProjectName, VariablePath};

use super::{CHECKPOINTS, Cells, KIND, NotebookCheckpoint};
use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    session::{Mode, Session},
};

/// A larger notebook holds outputs that nobody will compare.
const MOST_BYTES: u64 = 256 << 20;

/// A notebook that was read and is one.
#[derive(Debug, Clone)]
#[must_use = "it is kept by `upload`"]
pub struct NotebookFile {
    path: PathBuf,
    /// What tells it from other notebooks of its project.
    place: String,
    content: Vec<u8>,
    object: ObjectId,
    id: Option<String>,
    project: Option<ProjectName>,
    name: Option<String>,
    description: Option<String>,
}

/// What became of a notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The identity of the notebook.
    pub id: ExperimentId,
    /// The short id that people use.
    pub short_id: String,
    /// The checkpoint that holds it now.
    pub checkpoint: NotebookCheckpoint,
    /// Whether that is a new one: otherwise nothing had changed.
    pub is_new: bool,
}

impl NotebookFile {
    /// Reads the notebook at `path`.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Unavailable` when it cannot be read, `Invalid`, with the place, when it is no notebook.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, format!("FileNotFound: there is no notebook {shown}"))
            }
            _ => Error::new(ErrorKind::Unavailable, format!("cannot read {shown}")).because(error),
        };
        let metadata = path.metadata().map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() > MOST_BYTES {
            let size = metadata.len();
            let message = format!("{shown} has {size} bytes or is no file; a notebook has at most {MOST_BYTES}");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let whole = fs::canonicalize(path).map_err(unreadable)?;
        let content = fs::read(path).map_err(unreadable)?;
        Cells::of(&content)
            .map_err(|error| Error::new(ErrorKind::Invalid, format!("{shown} cannot be uploaded")).because(error))?;
        let object = ObjectId::from_bytes(*blake3::hash(&content).as_bytes());
        Ok(Self {
            path: path.to_owned(),
            place: whole.to_string_lossy().into_owned(),
            content,
            object,
            id: None,
            project: None,
            name: None,
            description: None,
        })
    }

    /// The notebook that it is a checkpoint of, by short id or UUID. Without it, the one that was uploaded from this path to
    /// this project before, or a new one.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The project, `workspace/name`; the session's when it is not said.
    ///
    /// # Errors
    /// `Invalid` when `name` is not `workspace/name`.
    pub fn project(mut self, name: &str) -> Result<Self> {
        self.project = Some(name.parse()?);
        Ok(self)
    }

    /// What this state of it is called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What there is to say about this state of it.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Keeps it as a checkpoint, and waits until the store has it. Nothing is written when the last checkpoint has the same
    /// content, and the name and description that are given.
    ///
    /// # Errors
    /// `Unsupported` offline; `NotFound` when there is no notebook of the id, `Invalid` when it is an experiment; `Unavailable`
    /// when the folder cannot be written.
    pub fn upload(&self, session: &Session) -> Result<Uploaded> {
        if session.mode() == Mode::Offline {
            return Err(Error::new(ErrorKind::Unsupported, "notebooks are uploaded with mode \"embedded\""));
        }
        let project = self.project.as_ref().unwrap_or_else(|| session.default_project());
        let id = match &self.id {
            Some(id) => session.get(id)?.id(),
            None => id_of(project, &self.place),
        };
        let known = match session.get(&id.to_string()) {
            Ok(known) => Some(known),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // What was begun here and never marked as a notebook is marked below; what somebody named is not.
        if let Some(known) = &known
            && (self.id.is_some() || known.is_notebook()?)
            && let Some(last) = known.notebook_checkpoints()?.pop()
            && self.is_kept_by(&last)
        {
            let short_id = known.short_id().to_owned();
            return Ok(Uploaded { id, short_id, checkpoint: last, is_new: false });
        }
        self.keep(session, id, project)?;
        let known = session.get(&id.to_string())?;
        // Another process may have come behind this one.
        let mut mine = known.notebook_checkpoints()?.into_iter().rev().filter(|made| self.is_kept_by(made));
        let checkpoint = mine.next().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("the checkpoint of {} was not kept", self.path.display()))
        })?;
        Ok(Uploaded { id, short_id: known.short_id().to_owned(), checkpoint, is_new: true })
    }

    /// Keeps it among the source files of an experiment, by short id or UUID, as `source_code/files/NAME`. The state of the experiment
    /// does not change.
    ///
    /// # Errors
    /// `NotFound` when there is no such experiment; `Unavailable` when the folder cannot be written.
    pub fn add_to_experiment(&self, session: &Session, id: &str) -> Result<VariablePath> {
        let experiment = session.edit(id).start()?;
        let path = VariablePath::within("source_code/files", &self.file_name())?;
        experiment.log_bytes(&path, &self.content)?;
        experiment.stop()?;
        Ok(path)
    }

    fn is_kept_by(&self, checkpoint: &NotebookCheckpoint) -> bool {
        let says = |given: &Option<String>, kept: &Option<String>| given.is_none() || given == kept;
        checkpoint.file.object == self.object
            && says(&self.name, &checkpoint.name)
            && says(&self.description, &checkpoint.description)
    }

    fn file_name(&self) -> String {
        self.path.file_name().map_or_else(|| "notebook.ipynb".into(), |name| name.to_string_lossy().into_owned())
    }

    fn keep(&self, session: &Session, id: ExperimentId, project: &ProjectName) -> Result<()> {
        let notebook = session.experiment().id(&id.to_string()).in_project(project.clone()).without_run().start()?;
        notebook.atom("sys/kind").try_assign(KIND)?;
        if self.id.is_none() {
            notebook.atom("sys/name").try_assign(self.file_name())?;
        }
        // Ordered by time, like the ids of experiments.
        let checkpoint = format!("{CHECKPOINTS}/{}", ExperimentId::new());
        let path = VariablePath::new(&format!("{checkpoint}/file"))?;
        notebook.log_bytes(&path, &self.content)?;
        for (part, text) in [("name", &self.name), ("description", &self.description)] {
            if let Some(text) = text {
                notebook.atom(&format!("{checkpoint}/{part}")).try_assign(text.clone())?;
            }
        }
        notebook.atom(&format!("{checkpoint}/path")).try_assign(self.place.clone())?;
        // Last: a checkpoint is there once it has a time.
        notebook.atom(&format!("{checkpoint}/time")).try_assign(clock::now())?;
        let lost = notebook.stop()?;
        if lost.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, format!("the notebook was not kept: {lost}")))
    }
}

/// The identity of the notebook at a place, which whoever uploads it finds without asking.
fn id_of(project: &ProjectName, place: &str) -> ExperimentId {
    let hash = blake3::hash(format!("neptune notebook\n{project}\n{place}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    // A UUID of version 8: made in a way of its own.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    ExperimentId::from_bytes(bytes)
}
