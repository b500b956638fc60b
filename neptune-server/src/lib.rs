//! The web UI of neptune, and the HTTP API that it uses.
//!
//! [`Ui`] serves a folder of experiments: pages for people at `/`, and everything that they show as JSON under `/api/v1`,
//! which `/api/v1/openapi.json` describes. It reads the store that trainers write, so it needs nothing of them and they wait for
//! nothing of it.
//!
//! ```no_run
//! use neptune_server::Ui;
//!
//! let ui = Ui::new(".neptune").bind("127.0.0.1:0".parse()?)?;
//! println!("{}", ui.url());
//! ui.serve()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Who may use it
//!
//! It listens on this machine alone, and answers only requests that name this machine, so that no page of another site can
//! read or change anything through a browser. Beyond this machine it listens only with a token, see [`Ui::token`].

mod api;
mod assets;
mod clock;
mod connections;
mod console;
mod content;
mod door;
mod drawing;
mod page;
mod pieces;
mod readers;
mod ui;
mod watch;

pub use ui::{BoundUi, Error, Ui};
