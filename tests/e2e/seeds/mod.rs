//! The documents that neptune grew from, walked through in their order.

mod experiment;
mod variables;
