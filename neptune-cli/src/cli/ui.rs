//! The command line of `neptune ui`.

use std::net::IpAddr;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Ui {
    /// The port to listen at; without it 7460, or a free one when that is taken
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The address to listen at; one that other machines can reach needs NEPTUNE_UI_TOKEN
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// A secret that whoever opens the page must know, 16 characters or more
    #[arg(long, value_name = "TOKEN", env = "NEPTUNE_UI_TOKEN", hide_env_values = true, hide = true)]
    pub(crate) token: Option<String>,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
}
