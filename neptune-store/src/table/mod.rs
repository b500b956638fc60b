//! [`Table`]: columns with names, in memory, for whoever computes with what was logged.
//!
//! Everything that is read as a table is one of these.
//!
//! ```
//! use neptune_store::table::{Column, Table};
//! let table = Table::new([
//!     Column::new("x", vec![0.0, 1.0, 2.0]),
//!     Column::new("loss", vec![0.9, f64::NAN, 0.7]).present(vec![true, false, true]),
//! ])?;
//! let loss = table.column("loss").expect("it was just added");
//! assert!(loss.is_missing(1) && !loss.is_missing(2));
//! assert_eq!(table.len(), 3);
//! # Ok::<(), neptune_store::Error>(())
//! ```

mod column;
mod whole;

pub use column::{Column, Values};
pub use whole::Table;
