//! One column of cells that may be of several types.
//!
//! Experiments need not agree on the type of a parameter. What all have stays as it is; whole numbers beside others become
//! numbers; and whatever else meets becomes text, so that nothing is lost.

use super::{Column, Values};
use crate::query::Cell;

/// A column `name` with one row for each of `cells`; missing where there is none. Without any cell it is of the type
/// `otherwise`.
pub(crate) fn column_of_cells(name: impl Into<String>, cells: Vec<Option<Cell>>, otherwise: CellType) -> Column {
    let present: Vec<bool> = cells.iter().map(Option::is_some).collect();
    let values = match common(&cells).unwrap_or(otherwise) {
        CellType::Float => Values::Float(cells.iter().map(|cell| number(cell.as_ref())).collect()),
        CellType::Int => Values::Int(cells.iter().map(|cell| whole(cell.as_ref())).collect()),
        CellType::Bool => Values::Bool(cells.iter().map(|cell| matches!(cell, Some(Cell::Bool(true)))).collect()),
        CellType::Datetime => {
            let time = |cell: &Option<Cell>| if let Some(Cell::Datetime(time)) = cell { *time } else { <_>::default() };
            Values::Datetime(cells.iter().map(time).collect())
        }
        CellType::Set => {
            let members = |cell| if let Some(Cell::Set(members)) = cell { members } else { Vec::new() };
            Values::Set(cells.into_iter().map(members).collect())
        }
        CellType::String => Values::String(cells.into_iter().map(text).collect()),
    };
    Column::new(name, values).present(present)
}

/// What a column of cells is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellType {
    Float,
    Int,
    Bool,
    Datetime,
    Set,
    String,
}

/// The type that has room for all cells, if there are any.
fn common(cells: &[Option<Cell>]) -> Option<CellType> {
    /// From here on a float may round a whole number.
    const EXACT: u64 = 1 << 53;
    let mut of_all = None;
    let mut has_large = false;
    for cell in cells.iter().flatten() {
        let of_one = match cell {
            Cell::Float(_) => CellType::Float,
            Cell::Int(_) | Cell::File(_) => CellType::Int,
            Cell::Bool(_) => CellType::Bool,
            Cell::Datetime(_) => CellType::Datetime,
            Cell::Set(_) => CellType::Set,
            Cell::String(_) | Cell::Json(_) => CellType::String,
        };
        has_large |= matches!(cell, Cell::Int(value) if value.unsigned_abs() > EXACT);
        of_all = Some(match (of_all, of_one) {
            (None, one) => one,
            (Some(all), one) if all == one => one,
            (Some(CellType::Float | CellType::Int), CellType::Float | CellType::Int) => CellType::Float,
            _ => CellType::String,
        });
    }
    match of_all {
        Some(CellType::Float) if has_large => Some(CellType::String),
        of_all => of_all,
    }
}

fn number(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Float(value)) => *value,
        Some(cell) => whole(Some(cell)) as f64,
        None => f64::NAN,
    }
}

fn whole(cell: Option<&Cell>) -> i64 {
    match cell {
        Some(Cell::Int(value)) => *value,
        Some(Cell::File(bytes)) => i64::try_from(*bytes).unwrap_or(i64::MAX),
        _ => 0,
    }
}

fn text(cell: Option<Cell>) -> String {
    match cell {
        Some(Cell::String(text) | Cell::Json(text)) => text,
        Some(cell) => cell.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use neptune_format::Timestamp;

    use super::*;

    fn values(cells: impl IntoIterator<Item = Cell>) -> Values {
        let mut cells: Vec<Option<Cell>> = cells.into_iter().map(Some).collect();
        cells.push(None);
        let rows = cells.len();
        let column = column_of_cells("a", cells, CellType::Float);
        assert_eq!(column.len(), rows);
        assert!(column.is_missing(rows - 1) && !column.is_missing(0));
        column.values().clone()
    }

    #[test]
    fn cells_of_one_type_keep_it() {
        assert_eq!(values([Cell::Int(i64::MIN), Cell::File(7)]), Values::Int(vec![i64::MIN, 7, 0]));
        assert_eq!(values([Cell::Bool(true)]), Values::Bool(vec![true, false]));
        assert_eq!(values([Cell::Json("[1]".into())]), Values::String(vec!["[1]".into(), String::new()]));
        let time = Timestamp::from_micros(-5);
        assert_eq!(values([Cell::Datetime(time)]), Values::Datetime(vec![time, Timestamp::default()]));
        assert_eq!(values([Cell::Set(vec!["a".into()])]), Values::Set(vec![vec!["a".into()], Vec::new()]));
    }

    #[test]
    fn cells_of_several_types_become_what_has_room_for_all() {
        let Values::Float(mixed) = values([Cell::Int(3), Cell::Float(0.5)]) else { panic!("not numbers") };
        assert_eq!(mixed[..2], [3.0, 0.5]);
        assert!(mixed[2].is_nan());
        let large = (1 << 53) + 1;
        assert_eq!(
            values([Cell::Int(large), Cell::Float(0.5)]),
            Values::String(vec!["9007199254740993".into(), "0.5".into(), String::new()])
        );
        assert_eq!(
            values([Cell::Bool(true), Cell::Int(1), Cell::String("a\nb".into())]),
            Values::String(vec!["true".into(), "1".into(), "a\nb".into(), String::new()])
        );
    }

    #[test]
    fn a_column_without_cells_is_of_the_type_that_it_would_have() {
        let column = column_of_cells("a", vec![None, None], CellType::Float);
        assert!(column.as_floats().is_some_and(|floats| floats.iter().all(|value| value.is_nan())));
        assert!(column.is_missing(0) && column.is_missing(1));
        let column = column_of_cells("a", Vec::new(), CellType::Set);
        assert_eq!(column.values(), &Values::Set(Vec::new()));
    }
}
