//! [`Table`]: text in columns, cut to the width of a terminal.
//!
//! A row is one line. When the columns do not fit, those that may are cut first, and then those that can be missed are left
//! out: the one that is missed least first.

use anstyle::Style;

use crate::{
    inert::{cut, cut_front, width},
    screen::{DIM, PLAIN, painted},
};

/// What stands between two columns.
const GAP: &str = "  ";

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: String,
    is_right: bool,
    /// The least width it may be cut to; `None` when it may not be cut.
    least: Option<usize>,
    holds_paths: bool,
    /// How soon it is left out; `None` when it cannot be missed.
    missed: Option<u8>,
}

impl Column {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), is_right: false, least: None, holds_paths: false, missed: None }
    }

    /// Numbers stand at the right.
    pub(crate) const fn right_aligned(mut self) -> Self {
        self.is_right = true;
        self
    }

    /// May be cut to this width.
    pub(crate) const fn least(mut self, width: usize) -> Self {
        self.least = Some(width);
        self
    }

    /// Holds paths, of which the end tells the most.
    pub(crate) const fn holds_paths(mut self) -> Self {
        self.holds_paths = true;
        self
    }

    /// May be left out, before those with a smaller number and before those to its left with the same.
    pub(crate) const fn missed(mut self, soon: u8) -> Self {
        self.missed = Some(soon);
        self
    }
}

/// One field of a table. The text must be inert.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    text: String,
    style: Style,
}

impl Field {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: PLAIN }
    }

    pub(crate) const fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// Text in columns.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Field>>,
}

/// A table as lines.
#[derive(Debug)]
pub(crate) struct Laid {
    /// The lines, the titles first.
    pub(crate) lines: Vec<String>,
    /// The titles of the columns that were left out.
    pub(crate) missed: Vec<String>,
}

impl Table {
    pub(crate) const fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; it has a field for each column.
    pub(crate) fn row(&mut self, fields: Vec<Field>) {
        self.rows.push(fields);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Lays the table out in `room` columns of a terminal; as wide as it is when there is no terminal.
    pub(crate) fn lay(&self, room: Option<usize>) -> Laid {
        let natural: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let fields = self.rows.iter().filter_map(|row| row.get(index));
                fields.map(|field| width(&field.text)).max().unwrap_or(0).max(width(&column.title))
            })
            .collect();
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut missed = Vec::new();
        let widths = loop {
            let widths = self.fit(&shown, &natural, room);
            let fits = room.is_none_or(|room| total(&widths) <= room);
            let next = (0..shown.len()).filter(|at| self.columns[shown[*at]].missed.is_some());
            match next.max_by_key(|at| self.columns[shown[*at]].missed) {
                Some(next) if !fits => missed.push(shown.remove(next)),
                _ => break widths,
            }
        };
        missed.sort_unstable();
        let titles: Vec<Field> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                // A title is a path or short.
                let room = shown.iter().position(|shown| *shown == index).map_or(0, |at| widths[at]);
                Field::new(cut_front(&column.title, room)).style(DIM)
            })
            .collect();
        let lines = std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &shown, &widths)).collect();
        Laid { lines, missed: missed.into_iter().map(|index| self.columns[index].title.clone()).collect() }
    }

    /// The widths of the columns `shown`, the widest of those that may be cut made narrower until they fit.
    fn fit(&self, shown: &[usize], natural: &[usize], room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = shown.iter().map(|index| natural[*index]).collect();
        let Some(room) = room else { return widths };
        while total(&widths) > room {
            let widest = (0..shown.len())
                .filter(|at| self.columns[shown[*at]].least.is_some_and(|least| widths[*at] > least))
                .max_by_key(|at| widths[*at]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
        }
        widths
    }

    fn line(&self, row: &[Field], shown: &[usize], widths: &[usize]) -> String {
        let mut line = String::new();
        for (at, (index, room)) in shown.iter().zip(widths).enumerate() {
            let Some(field) = row.get(*index) else { continue };
            let column = &self.columns[*index];
            let text = if column.holds_paths { cut_front(&field.text, *room) } else { cut(&field.text, *room) };
            let padding = " ".repeat(room.saturating_sub(width(&text)));
            let is_last = at + 1 == shown.len();
            if at > 0 {
                line.push_str(GAP);
            }
            if column.is_right {
                line.push_str(&padding);
            }
            line.push_str(&if field.style == PLAIN { text } else { painted(field.style, text) });
            if !column.is_right && !is_last {
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::new("ID"),
            Column::new("NAME").least(4),
            Column::new("A").right_aligned().missed(0),
            Column::new("B").right_aligned().missed(0),
        ]);
        for row in [["M-1", "a long name", "0.5", "1"], ["M-12", "short", "10.25", ""]] {
            table.row(row.into_iter().map(Field::new).collect());
        }
        table
    }

    fn plain(laid: &Laid) -> Vec<String> {
        laid.lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    #[test]
    fn a_table_without_a_terminal_is_as_wide_as_it_is() {
        let laid = table().lay(None);
        assert_eq!(
            plain(&laid),
            ["ID    NAME             A  B", "M-1   a long name    0.5  1", "M-12  short        10.25"]
        );
    }

    #[test]
    fn columns_are_cut_before_any_is_left_out() {
        let laid = table().lay(Some(22));
        assert_eq!(plain(&laid), ["ID    NAME        A  B", "M-1   a lon\u{2026}    0.5  1", "M-12  short   10.25"]);
        assert!(laid.missed.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_right_and_named() {
        let laid = table().lay(Some(18));
        assert_eq!(plain(&laid)[1], "M-1   a lo\u{2026}    0.5");
        assert_eq!(laid.missed, ["B"]);
        let laid = table().lay(Some(3));
        assert_eq!(plain(&laid)[1], "M-1   a l\u{2026}", "what cannot be missed stays");
        assert_eq!(laid.missed, ["A", "B"]);
    }

    #[test]
    fn what_is_missed_least_is_left_out_first() {
        let mut table = table();
        table.columns[2].missed = Some(1);
        let laid = table.lay(Some(15));
        assert_eq!(plain(&laid)[1], "M-1   a lon\u{2026}  1");
        assert_eq!(laid.missed, ["A"]);
    }

    #[test]
    fn of_a_path_the_end_stays() {
        let mut table = Table::new(vec![Column::new("validation/loss").least(6).holds_paths()]);
        table.row(vec![Field::new("layers/3/bias")]);
        assert_eq!(plain(&table.lay(Some(6))), ["\u{2026}/loss", "\u{2026}/bias"]);
    }
}
