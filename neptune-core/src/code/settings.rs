//! What the builder of an experiment was told about code.

use super::{circumstances::Package, pattern::Pattern};

/// What is to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct CodeSettings {
    pub(crate) sources: Sources,
    pub(crate) has_git: bool,
    /// Variables of the environment besides the usual ones.
    pub(crate) variables: Vec<String>,
    pub(crate) package: Option<Package>,
    /// Whether nothing is recorded: another program made what is logged.
    pub(crate) is_off: bool,
}

impl CodeSettings {
    pub(crate) const fn new() -> Self {
        Self { sources: Sources::Usual, has_git: true, variables: Vec::new(), package: None, is_off: false }
    }
}

/// The files of which a copy is kept.
#[derive(Debug, Clone)]
pub(crate) enum Sources {
    /// What the program was compiled of, when that can be found out.
    Usual,
    /// What was named.
    Named(Vec<Pattern>),
    /// None.
    Off,
}

impl Sources {
    /// Adds what is named to what was named before.
    pub(crate) fn add(&mut self, pattern: Pattern) {
        match self {
            Self::Named(patterns) => patterns.push(pattern),
            Self::Usual | Self::Off => *self = Self::Named(vec![pattern]),
        }
    }
}
