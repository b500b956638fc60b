//! [`Ui`]: from settings to a server that answers.
//!
//! Invariant: it listens beyond this machine only where a token is asked for.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware, routing::get};
use neptune_core::{Mode, Session};
use tokio::{net::TcpListener as AsyncListener, runtime, sync::Semaphore};

use crate::{
    api, assets,
    connections::Connections,
    door::{self, Door},
    drawing,
    readers::Readers,
    watch::Watch,
};

/// How often it is looked whether a process that logged has died.
const RECOVER: Duration = Duration::from_secs(3);

/// One of these is in every folder that was logged to.
const LOGGED: [&str; 2] = ["store.db", "journals"];

/// Changes at the same time: each has threads and a journal of its own.
const CHANGES: usize = 4;

/// Archives that are written at the same time: each takes a processor and a thread.
const ARCHIVES: usize = 4;

/// The fewest bytes of a token: fewer can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// The signs of a token: they mean nothing in an address and in a cookie.
const SIGNS: &str = "-._~+/=";

/// Whether a token may have this.
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || SIGNS.as_bytes().contains(&byte)
}

/// Settings of the web UI of a folder.
#[derive(Clone)]
pub struct Ui {
    folder: PathBuf,
    token: Option<String>,
}

impl Ui {
    /// The UI of the experiments in `folder`, which may be made later.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), token: None }
    }

    /// Asks for this token: as `Authorization: Bearer TOKEN`, or once as `/?token=TOKEN`, after which the browser keeps it in a
    /// cookie. It has at least 16 letters of ASCII, digits and `-._~+/=`.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Listens at `address`; port 0 takes one that is free.
    ///
    /// # Errors
    /// When the address is not one of this machine alone and there is no token, when the token is too short or has other
    /// characters, and when the address cannot be used.
    pub fn bind(self, address: SocketAddr) -> Result<BoundUi, Error> {
        if let Some(token) = &self.token
            && (token.len() < SHORTEST_TOKEN || !token.bytes().all(is_of_token))
        {
            return Err(Error::new(format!(
                "the token must have {SHORTEST_TOKEN} or more characters, so that nobody guesses it, and of letters, digits and \
                 {SIGNS} only; `openssl rand -hex 16` makes one"
            )));
        }
        if self.token.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(Error::new(format!(
                "{address} can be reached from other machines, and without a token anybody there could read and change your \
                 experiments; set NEPTUNE_UI_TOKEN to a secret, or stay on 127.0.0.1 and use `ssh -L {port}:127.0.0.1:{port}`",
                port = if address.port() == 0 { 7460 } else { address.port() }
            )));
        }
        let listener = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = listener.map_err(|error| {
            let way_out = match error.kind() {
                io::ErrorKind::AddrInUse => "; another program listens there: name another port with --port",
                _ => "",
            };
            Error::new(format!("cannot listen at {address}{way_out}")).because(error)
        })?;
        let address = listener.local_addr().map_err(|error| Error::new("cannot listen").because(error))?;
        Ok(BoundUi { ui: self, listener, address })
    }
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ui").field("folder", &self.folder).field("has_token", &self.token.is_some()).finish()
    }
}

/// A UI that listens and does not answer yet.
#[derive(Debug)]
pub struct BoundUi {
    ui: Ui,
    listener: TcpListener,
    address: SocketAddr,
}

impl BoundUi {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to open in a browser of this machine. Without the token.
    pub fn url(&self) -> String {
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        format!("http://{host}:{}/", self.address.port())
    }

    /// Answers until the process ends.
    ///
    /// # Errors
    /// When the threads for it cannot be made, or it cannot listen any more.
    pub fn serve(self) -> Result<(), Error> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("neptune:ui")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Error::new("cannot start threads").because(error))?;
        runtime
            .block_on(async {
                let app = app(&self.ui, self.address);
                tokio::spawn(recover(self.ui.folder.clone()));
                let listener = AsyncListener::from_std(self.listener)?;
                axum::serve(Connections::new(listener), app).await
            })
            .map_err(|error| Error::new(format!("cannot listen at {} any more", self.address)).because(error))
    }
}

/// Everything that is answered.
fn app(ui: &Ui, address: SocketAddr) -> Router {
    let readers = Arc::new(Readers::new(ui.folder.clone()));
    let state = api::State {
        readers,
        watch: Arc::new(Watch::new(ui.folder.clone())),
        folder: ui.folder.clone().into(),
        changing: Arc::new(Semaphore::new(CHANGES)),
        archives: Arc::new(Semaphore::new(ARCHIVES)),
    };
    let door = Arc::new(Door::new(ui.token.clone(), address));
    Router::new()
        .nest("/api/v1", api::router(state))
        .route(drawing::ADDRESS, get(drawing::frame))
        .fallback(assets::serve)
        .layer(middleware::from_fn_with_state(door, door::pass))
}

/// Ends the experiments of processes that died, as every program that reads the folder does.
#[expect(clippy::infinite_loop, reason = "it ends with the runtime")]
async fn recover(folder: PathBuf) {
    let mut ticks = tokio::time::interval(RECOVER);
    loop {
        ticks.tick().await;
        let folder = folder.clone();
        let recovered = tokio::task::spawn_blocking(move || {
            // A session makes a store, and here is not the place for one where nobody logged.
            if !LOGGED.iter().any(|name| folder.join(name).exists()) {
                return;
            }
            // What cannot be drained now is tried again, and `neptune doctor` tells of it.
            let session = Session::builder().folder(folder).project("local/default").mode(Mode::Offline).without_code();
            drop(session.open().and_then(|session| session.recover(|_| ())));
        });
        drop(recovered.await);
    }
}

/// Why the UI cannot be served.
#[derive(Debug)]
pub struct Error {
    message: String,
    source: Option<io::Error>,
}

impl Error {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    fn because(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl std::error::Error for Error {}
