//! A folder with a server of its own, and experiments in it.

use std::{net::SocketAddr, path::PathBuf};

use neptune_core::{Experiment, Mode, Session};
use neptune_server::Ui;
use serde_json::Value;

use crate::http::{Answer, request, send};

/// A folder and its server, which ends with the tests.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// A folder that does not exist yet.
    pub(crate) fn new() -> Self {
        Self::with(|ui| ui)
    }

    pub(crate) fn with(settings: impl FnOnce(Ui) -> Ui) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = serve(settings(Ui::new(folder.path().join("neptune"))));
        Self { folder, address }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("neptune")
    }

    pub(crate) fn session(&self) -> Session {
        let session = Session::builder().folder(self.folder()).project("ada/mnist").mode(Mode::Embedded);
        session.without_code().open().unwrap()
    }

    /// An experiment that runs and records nothing by itself.
    pub(crate) fn experiment(&self) -> Experiment {
        self.session().experiment().without_console().without_hardware().start().unwrap()
    }

    /// An answer to a GET of an address below `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", &format!("/api/v1{path}"), &[], "")
    }

    /// What a GET answers, which must be right.
    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends a document of JSON.
    pub(crate) fn send(&self, method: &str, path: &str, document: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        self.ask(method, &format!("/api/v1{path}"), &json, &document.to_string())
    }

    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(self.address, &request(method, target, headers, body))
    }
}

/// Serves `ui` at a free port of this machine.
pub(crate) fn serve(ui: Ui) -> SocketAddr {
    let ui = ui.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = ui.address();
    std::thread::Builder::new().name("test:ui".into()).spawn(move || ui.serve()).unwrap();
    address
}
