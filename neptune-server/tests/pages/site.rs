//! A folder, and the server of its pages.

use std::path::Path;

use neptune_core::{Experiment, Mode, Session};
use neptune_server::Ui;

use crate::browser::Browser;

/// A folder with its server, which ends with the test.
#[derive(Debug)]
pub(crate) struct Site {
    folder: tempfile::TempDir,
    url: String,
}

impl Site {
    /// A folder in which nothing was logged yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = serve(&folder.path().join("neptune"));
        Self { folder, url }
    }

    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join("neptune")
    }

    /// The address of a page, whose path begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    /// A browser at a page.
    pub(crate) fn open(&self, path: &str) -> Browser {
        Browser::open(&self.url(path))
    }

    pub(crate) fn session(&self) -> Session {
        session(&self.folder())
    }

    /// An experiment that runs and records nothing by itself.
    pub(crate) fn experiment(&self) -> Experiment {
        self.session().experiment().without_console().without_hardware().start().unwrap()
    }
}

/// Serves a folder until the test ends; returns the address.
pub(crate) fn serve(folder: &Path) -> String {
    let ui = Ui::new(folder).bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = ui.url();
    std::thread::Builder::new().name("test:ui".into()).spawn(move || ui.serve()).unwrap();
    url
}

fn session(folder: &Path) -> Session {
    Session::builder().folder(folder).project("ada/mnist").mode(Mode::Embedded).without_code().open().unwrap()
}
