//! The commands, one file each: those that look, then those that write files, then the one that speaks to
//! programs, then those that see to experiments and to the folder.

pub(crate) mod console;
pub(crate) mod diff;
pub(crate) mod ls;
pub(crate) mod show;
pub(crate) mod tail;
pub(crate) mod timings;
pub(crate) mod trace;
pub(crate) mod ui;
pub(crate) mod values;

pub(crate) mod artifacts;
pub(crate) mod export;
pub(crate) mod get;

pub(crate) mod import;
pub(crate) mod notebook;

pub(crate) mod abort;

pub(crate) mod removal;
pub(crate) mod travel;

pub(crate) mod doctor;
pub(crate) mod gc;
pub(crate) mod sync;
