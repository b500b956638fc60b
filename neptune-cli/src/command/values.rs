//! `neptune values`: the values of logs of numbers, side by side on the x axis.

use std::path::Path;

use crate::{
    cli,
    failure::{Exit, Failure},
    number, reading,
    screen::Screen,
    tabular,
};

/// How many rows are shown for people.
const SHOWN: usize = 10;

pub(crate) fn run(screen: &mut Screen, folder: &Path, arguments: &cli::Values) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let experiment = reading::find(&store, &arguments.id)?;
    let names: Vec<&str> = arguments.names.iter().map(String::as_str).collect();
    let table = store.values(&experiment, &names)?;
    if tabular::write(screen, &table, &arguments.output)? {
        return Ok(Exit::Fine);
    }
    if screen.json {
        tabular::json(screen, &experiment.short_id, &table)?;
        return Ok(Exit::Fine);
    }
    tabular::show(screen, &table)?;
    if table.len() > SHOWN {
        let rows = number::count(table.len() as u64);
        screen.note(format_args!("{SHOWN} of {rows} rows; --csv, --parquet and --json have all"))?;
    }
    Ok(Exit::Fine)
}
