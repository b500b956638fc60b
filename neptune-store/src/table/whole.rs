//! [`Table`]: columns of the same length.
//!
//! Invariant: every column has as many rows as the table, and no two have the same name.

use std::{collections::HashSet, fmt};

use super::Column;
use crate::{
    error::{Error, ErrorKind, Result},
    query::Cell,
};

/// Columns with names, each with a value or none for every row. See [this module](super).
///
/// [`Display`](fmt::Display) prints it for a terminal: of a long table the first five rows and the last five.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// `Invalid` when two columns have the same name, or not all have the same number of rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Result<Self> {
        let columns: Vec<Column> = columns.into_iter().collect();
        let rows = columns.first().map_or(0, Column::len);
        let mut names = HashSet::new();
        for column in &columns {
            let (name, has) = (column.name(), column.len());
            if has != rows || column.presence().is_some_and(|present| present.len() != rows) {
                let message = format!("column {name:?} has {has} rows, and the columns before it have {rows}");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            if !names.insert(name) {
                let message = format!("two columns are named {name:?}; a name is used once");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        Ok(Self { columns, rows })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(Column::name)
    }

    /// How many rows it has.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many rows are shown at each end.
        const SHOWN: usize = 5;
        let is_cut = self.rows > 2 * SHOWN;
        let (head, tail) = if is_cut { (SHOWN, self.rows - SHOWN) } else { (self.rows, self.rows) };
        let shown = || (0..head).chain(tail..self.rows);
        let printed: Vec<Vec<String>> = self
            .columns
            .iter()
            .map(|column| {
                let title = Cell::String(column.name().to_owned()).to_string();
                let cells = shown().map(|row| column.cell(row).map_or_else(String::new, |cell| cell.to_string()));
                std::iter::once(title).chain(cells).collect()
            })
            .collect();
        for line in 0..=shown().count() {
            if line > 0 {
                writeln!(f)?;
            }
            if is_cut && line == head + 1 {
                writeln!(f, "... {} rows in all", self.rows)?;
            }
            for (index, cells) in printed.iter().enumerate() {
                let gap = if index > 0 { "  " } else { "" };
                let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
                write!(f, "{gap}{:>width$}", cells.get(line).map_or("", String::as_str))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Values;

    #[test]
    fn columns_of_other_lengths_or_with_the_same_name_are_refused() {
        let refused = |columns: Vec<Column>| {
            let error = Table::new(columns).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            error.to_string()
        };
        let two = || Column::new("a", vec![1.0, 2.0]);
        assert!(refused(vec![two(), Column::new("b", vec![1_i64])]).contains("\"b\" has 1 rows"));
        assert!(refused(vec![two(), two()]).contains("\"a\""));
        assert!(refused(vec![two().present(vec![false])]).contains("\"a\""));
        assert_eq!(Table::new([]).unwrap(), Table::default());
    }

    #[test]
    fn a_value_that_is_missing_is_not_one_that_is_nan() {
        let column = Column::new("a", vec![f64::NAN, f64::NAN, 1.0]).present(vec![false, true, true]);
        let missing: Vec<bool> = (0..4).map(|row| column.is_missing(row)).collect();
        assert_eq!(missing, [true, false, false, true]);
        assert_eq!((column.cell(0), column.cell(2)), (None, Some(Cell::Float(1.0))));
        assert_eq!(column.cell(3), None);
        assert_eq!(Column::new("a", Values::Int(vec![1])).present(vec![true]).presence(), None);
    }

    #[test]
    fn a_long_table_shows_its_ends_on_lines_of_their_own() {
        let texts: Vec<String> = (0..100).map(|row| format!("{row}\n\u{1b}[2J")).collect();
        let table =
            Table::new([Column::new("x", (0..100).map(f64::from).collect::<Vec<_>>()), Column::new("t", texts)]);
        let text = table.unwrap().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 12, "{text}");
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["x", "t"]);
        assert_eq!(lines[6], "... 100 rows in all");
        assert!(lines[11].contains("99.0") && !text.contains('\u{1b}'), "{text}");
        let short = Table::new([Column::new("x", vec![1.0, 2.0]).present(vec![false, true])]).unwrap().to_string();
        assert_eq!(short, "  x\n   \n2.0");
    }
}
