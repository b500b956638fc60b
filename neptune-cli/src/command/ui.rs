//! `neptune ui`: the web UI of the folder, until the program is ended.

use std::{
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use neptune_server::{BoundUi, Ui};
use serde::Serialize;

use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    screen::{BOLD, Screen, painted},
};

/// Where it listens when nobody says otherwise.
const PORT: u16 = 7460;

/// What programs read of it.
#[derive(Serialize)]
struct Listening {
    url: String,
    port: u16,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, wanted: &cli::Ui) -> Result<Exit, Failure> {
    let ui = bound(folder, wanted)?;
    let url = ui.url();
    if screen.json {
        screen.json_line(&Listening { url: url.clone(), port: ui.address().port() })?;
    } else {
        screen.line(format_args!("the experiments in {} are at", inert(&folder.display().to_string())))?;
        screen.line(format_args!("  {}", painted(BOLD, &url)))?;
        if wanted.token.is_some() {
            screen.note(format_args!("the first time, open {url}?token=... with the token of NEPTUNE_UI_TOKEN"))?;
        }
        screen.note("Ctrl-C ends it; what trains goes on")?;
    }
    screen.flush()?;
    if wanted.open && !open(&url) {
        screen.note("no browser could be opened; open the address yourself")?;
        screen.flush()?;
    }
    ui.serve().map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Exit::Fine)
}

/// Listens where it is wanted; where nobody said, at a free port when the usual one is taken.
fn bound(folder: &Path, wanted: &cli::Ui) -> Result<BoundUi, Failure> {
    let ui = Ui::new(folder);
    let ui = match wanted.token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => ui.token(token),
        None => ui,
    };
    let at = |port| SocketAddr::new(wanted.host, port);
    let bound = match wanted.port {
        Some(port) => ui.bind(at(port)),
        None => ui.clone().bind(at(PORT)).or_else(|why| ui.bind(at(0)).or(Err(why))),
    };
    bound.map_err(|error| Failure::wrong(error.to_string()))
}

fn open(url: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C is for this program, and not for a browser that it started.
    command.process_group(0).spawn().is_ok()
}
