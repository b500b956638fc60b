//! [`Table`]: columns with names, in memory, for whoever computes with what was logged.
//!
//! Everything that is read as a table is one of these: the values of several series, the leaderboard of a project, the
//! hardware. So there is one way to CSV (`to_csv`) and Parquet (`to_parquet`), with the feature `export`, and to Arrow
//! (`to_record_batch`), with the feature `arrow`; `arrow_array` is then here in the version that fits.
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

mod cells;
mod column;
mod whole;

#[cfg(feature = "arrow")]
mod record_batch;

#[cfg(all(test, any(feature = "arrow", feature = "export")))]
pub(crate) mod sample;

#[cfg(feature = "arrow")]
pub use arrow_array;
pub use column::{Column, Values};
pub use whole::Table;

pub(crate) use cells::{CellType, column_of_cells};
