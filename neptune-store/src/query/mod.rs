//! Query: from a line of Neptune's query language to a table of experiments.
//!
//! A query is text ([`lexer`], [`parse`]) that becomes a [`Filter`]; its names become stored paths ([`resolve`]), its
//! comparisons become readings of stored values ([`typing`]) and then SQL ([`sql`]). [`Store::experiments`] runs it and
//! fetches the cells that a page shows ([`fetch`]). Nothing here writes, and no text of a query ever becomes SQL:
//! values are bound.
//!
//! ```
//! use neptune_store::Filter;
//! let filter: Filter = r#"loss < 0.3 AND sys/tags CONTAINS "cnn""#.parse()?;
//! assert_eq!(filter.to_string(), r#"`loss` < 0.3 AND `sys/tags` CONTAINS "cnn""#);
//! # Ok::<(), neptune_store::query::FilterError>(())
//! ```
//!
//! [`Store::experiments`]: crate::Store::experiments

mod filter;
mod filter_error;
mod lexer;
mod parse;

mod moment;
mod resolve;
mod sql;
mod typing;

mod cell;
mod fetch;
mod figure;
mod leaderboard;
mod page;
mod selection;
mod table;

#[cfg(test)]
mod sample;

pub use cell::Cell;
pub use filter::{Aggregate, Attribute, AttributeType, Filter, Literal, Operator};
pub use filter_error::FilterError;
pub use table::{Direction, ExperimentQuery, ExperimentRow, ExperimentTable, Sort};

pub(crate) use page::project_id;
pub(crate) use resolve::NAMESPACES;
