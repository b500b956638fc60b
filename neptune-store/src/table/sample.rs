//! A table with a column of each type and what is hard to write, for the tests of what tables become.

use neptune_format::Timestamp;

use super::{Column, Table};

/// Three rows, the second of which is missing in all columns but the last.
pub(crate) fn one_of_each() -> Table {
    let present = || vec![true, false, true];
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let columns = [
        Column::new("x", vec![0.5, f64::NAN, f64::NAN]).present(present()),
        Column::new("a.b/c, \u{e4}", vec![i64::MIN, 0, 7]).present(present()),
        Column::new("b", vec![true, true, false]).present(present()),
        Column::new("t", vec![Timestamp::from_micros(-7); 3]).present(present()),
        Column::new("s", text(&["", "hidden", "h\u{e4}\n"])).present(present()),
        Column::new("set", vec![text(&[]), text(&["hidden"]), text(&["a", "b"])]).present(present()),
        Column::new("whole", vec![1.0, 2.0, f64::NAN]),
    ];
    Table::new(columns).expect("all have three rows, and names of their own")
}
