//! Tables of values as CSV, Parquet or JSON, for other programs.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use neptune_store::{Table, table::Column};
use serde_json::Value;

use crate::{
    cli,
    failure::Failure,
    inert::{self, InertWriter},
    number,
    screen::Screen,
    value, whole,
};

/// Writes the table as it was asked for, by `--csv` or `--parquet`. Whether it was.
pub(crate) fn write(screen: &mut Screen, table: &Table, output: &cli::TableOutput) -> Result<bool, Failure> {
    match &output.parquet {
        Some(file) => parquet(screen, table, file)?,
        None if output.csv => csv(screen, table)?,
        None => return Ok(false),
    }
    Ok(true)
}

/// All of it as one JSON document: the columns with their values, `null` where one is missing.
pub(crate) fn json(screen: &mut Screen, experiment: &str, table: &Table) -> Result<(), Failure> {
    let columns: Vec<Value> = table
        .columns()
        .iter()
        .map(|column| serde_json::json!({ "name": column.name(), "values": values(column) }))
        .collect();
    screen.json_line(&serde_json::json!({ "experiment": experiment, "rows": table.len(), "columns": columns }))
}

fn values(column: &Column) -> Vec<Value> {
    (0..column.len()).map(|row| column.cell(row).as_ref().map_or(Value::Null, value::json_cell)).collect()
}

/// For people: of a long table its ends.
pub(crate) fn show(screen: &mut Screen, table: &Table) -> Result<(), Failure> {
    for line in inert::inert_lines(&table.to_string()) {
        screen.line(line)?;
    }
    Ok(())
}

fn csv(screen: &mut Screen, table: &Table) -> Result<(), Failure> {
    if screen.json {
        return Err(Failure::wrong("--csv and --json exclude each other; name one of them"));
    }
    screen.flush()?;
    // Into memory first, so that a table that cannot be written leaves nothing, and a closed pipe is told apart.
    let mut text = Vec::new();
    table.to_csv(&mut text)?;
    let mut out = io::stdout();
    if out.is_terminal() {
        InertWriter::new(&mut out).write_all(&text)?;
    } else {
        out.write_all(&text)?;
    }
    Ok(out.flush()?)
}

fn parquet(screen: &mut Screen, table: &Table, file: &Path) -> Result<(), Failure> {
    whole::write(file, |out| Ok(table.to_parquet(io::BufWriter::new(out))?))?;
    let rows = table.len() as u64;
    if screen.json {
        return screen.document(&serde_json::json!({ "file": file.display().to_string(), "rows": rows }));
    }
    screen.note(format_args!("{} are in {}", number::counted(rows, "row", "rows"), file.display()))
}
