//! [`Cells`]: what stands in a notebook of nbformat 4, as far as it is needed to show and compare it.
//!
//! What this does not know is not looked at: notebooks of later versions and extensions are read.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// The cells of a notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cells {
    /// In the order of the notebook.
    pub cells: Vec<Cell>,
}

/// A cell of a notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cell {
    /// `code`, `markdown` or `raw`.
    pub kind: String,
    /// The id that newer notebooks give each cell.
    pub id: Option<String>,
    /// What somebody wrote.
    pub source: String,
    /// What came of it, as text. An image is named with its type and the length of its data.
    pub outputs: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    nbformat: u64,
    cells: Option<Vec<RawCell>>,
    worksheets: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawCell {
    cell_type: String,
    #[serde(default)]
    id: Option<String>,
    source: Lines,
    #[serde(default)]
    outputs: Vec<RawOutput>,
}

/// A text, whole or line by line, as both are in use.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    Whole(String),
    Lines(Vec<String>),
}

impl Lines {
    fn joined(self) -> String {
        match self {
            Self::Whole(text) => text,
            Self::Lines(lines) => lines.concat(),
        }
    }
}

#[derive(Deserialize)]
struct RawOutput {
    #[serde(default)]
    output_type: String,
    text: Option<Lines>,
    #[serde(default)]
    data: serde_json::Map<String, Value>,
    #[serde(default)]
    ename: String,
    #[serde(default)]
    evalue: String,
}

impl Cells {
    /// The cells of the notebook in `bytes`.
    ///
    /// # Errors
    /// `Invalid`, with line and column, when it is no notebook of nbformat 4.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let invalid = |message: String| Error::new(ErrorKind::Invalid, message);
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| invalid(format!("it is no notebook: {error}")))?;
        let version = document.nbformat;
        if version != 4 || document.worksheets.is_some() {
            return Err(invalid(format!(
                "it is a notebook of nbformat {version}; `jupyter nbconvert --to notebook --nbformat 4` makes it one of 4"
            )));
        }
        let cells = document.cells.ok_or_else(|| invalid("it is no notebook: `cells` is missing".to_owned()))?;
        let cells = cells.into_iter().map(|cell| Cell {
            kind: cell.cell_type,
            id: cell.id,
            source: cell.source.joined(),
            outputs: cell.outputs.into_iter().map(shown).collect(),
        });
        Ok(Self { cells: cells.collect() })
    }
}

/// An output as text.
fn shown(output: RawOutput) -> String {
    if let Some(text) = output.text {
        return text.joined();
    }
    if output.output_type == "error" {
        return format!("{}: {}", output.ename, output.evalue);
    }
    if let Some(text) = output.data.get("text/plain") {
        let text = text_of(text);
        let others: Vec<String> = output.data.iter().filter(|(kind, _)| *kind != "text/plain").map(named).collect();
        return if others.is_empty() { text } else { format!("{text}\n[{}]", others.join(", ")) };
    }
    format!("[{}]", output.data.iter().map(named).collect::<Vec<_>>().join(", "))
}

/// What kind of output it is and how long: two images that differ are seldom of one length.
fn named((kind, data): (&String, &Value)) -> String {
    format!("{kind}, {} bytes", text_of(data).len())
}

fn text_of(data: &Value) -> String {
    match data {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_with_their_outputs_as_text() {
        let notebook = br##"{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {}}, "cells": [
            {"cell_type": "markdown", "id": "a", "source": ["# Title\n", "text"], "metadata": {}},
            {"cell_type": "code", "source": "plot()", "execution_count": null, "metadata": {}, "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["one\n", "two"]},
                {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": ["<Figure>"]}, "metadata": {}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\u001b[31m"]},
                {"output_type": "execute_result", "data": {"text/html": "<b>"}}]}]}"##;
        let cells = Cells::of(notebook).unwrap().cells;
        assert_eq!((cells[0].kind.as_str(), cells[0].id.as_deref()), ("markdown", Some("a")));
        assert_eq!(cells[0].source, "# Title\ntext");
        let outputs = ["one\ntwo", "<Figure>\n[image/png, 5 bytes]", "ValueError: no", "[text/html, 3 bytes]"];
        assert_eq!(cells[1].outputs, outputs);
    }

    #[test]
    fn what_is_no_notebook_is_refused_with_its_place() {
        let refused = |bytes: &[u8]| Cells::of(bytes).unwrap_err().to_string();
        assert!(refused(b"{\"nbformat\": 4,\n \"cells\": [{}]}").contains("line 2 column"));
        assert!(refused(b"{\"cells\": []}").contains("nbformat"));
        assert!(refused(b"{\"nbformat\": 4}").contains("`cells` is missing"));
        assert!(refused(b"{\"nbformat\": 3, \"worksheets\": []}").contains("nbconvert"));
        assert!(refused(b"PK\x03\x04").contains("line 1 column 1"));
        let cell = r#"{"cell_type": "code", "source": "", "outputs": [{"data": {"a": "#;
        let deep = format!("{{\"nbformat\": 4, \"cells\": [{cell}{}", "[".repeat(100_000));
        assert!(refused(deep.as_bytes()).contains("recursion"));
    }
}
