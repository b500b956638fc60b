//! [`Positions`]: where spans stand among each other, by the names of the spans they were created in.
//!
//! A position is a node of a tree, `train/step/forward`: a callsite within a position. Positions of one path, as the `forward` of
//! several types has, are told apart here and share their timings.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI8, Ordering},
    },
};

use foldhash::fast::RandomState;
use neptune_core::Series;
use tracing_core::Metadata;

use crate::target::Target;

/// Positions at most. A program has some dozens; one that makes names out of numbers must not take all memory.
const MOST: usize = 4_096;

/// How deep positions go; what is deeper stands at the root.
const DEEPEST: usize = 16;

/// How much of a name is kept.
const LONGEST_NAME: usize = 64;

pub(crate) struct Position {
    pub(crate) target: Arc<Target>,
    /// The names, joined by `/`.
    pub(crate) path: Box<str>,
    /// The last of the names.
    pub(crate) name: Box<str>,
    /// The position whose series it shares: the first of its path.
    pub(crate) first: u32,
    /// The callsites on the way here, as addresses of their metadata.
    callsites: Box<[usize]>,
    /// How often spans here were futures lately, less how often they were not. See [`super::callbacks`].
    futures: AtomicI8,
    /// Each timing, where that is asked for.
    pub(crate) raw: OnceLock<Option<Series<f64>>>,
}

impl Position {
    /// Whether spans here are futures, as far as is known: their stretches are parts of one call.
    pub(crate) fn has_futures(&self) -> bool {
        self.futures.load(Ordering::Relaxed) > 1
    }

    /// Whether a span here looked like a future.
    pub(crate) fn had_future(&self) -> bool {
        self.futures.load(Ordering::Relaxed) > 0
    }

    /// Notes what a span here was. One that looks different now and then changes nothing.
    pub(crate) fn note_future(&self, is_future: bool) {
        const SURE: i8 = 4;
        let futures = self.futures.load(Ordering::Relaxed);
        let futures = if is_future { futures + 1 } else { futures - 1 };
        self.futures.store(futures.clamp(-SURE, SURE), Ordering::Relaxed);
    }
}

/// Where a span stands that is created in a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    /// Here; it is timed here.
    At(u32),
    /// A span of the same callsite is around it: it stands where its parent does, and its time is part of the other's.
    Recursive,
}

#[derive(Default)]
pub(crate) struct Positions {
    all: RwLock<HashMap<u32, Arc<Position>, RandomState>>,
    tree: Mutex<Tree>,
}

#[derive(Default)]
struct Tree {
    /// By target, parent and callsite.
    children: HashMap<(u32, u32, usize), Child, RandomState>,
    /// The first position of a path, by target.
    by_path: HashMap<(u32, Box<str>), u32, RandomState>,
    /// The number of the next position; none is given twice.
    next: u32,
}

impl Positions {
    /// No position: the parent of those at the root.
    pub(crate) const ROOT: u32 = u32::MAX;

    /// Where a span of a callsite stands that is created in `parent`. `None` when there are too many positions.
    pub(crate) fn child(&self, target: &Arc<Target>, parent: u32, span: &'static Metadata<'static>) -> Option<Child> {
        let callsite = std::ptr::from_ref(span).addr();
        let key = (target.number, parent, callsite);
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = tree.children.get(&key) {
            return Some(*child);
        }
        let around = self.get(parent);
        let child = if around.as_ref().is_some_and(|around| around.callsites.contains(&callsite)) {
            Child::Recursive
        } else {
            // What is too deep stands at the root.
            let around = around.filter(|around| around.callsites.len() < DEEPEST);
            Child::At(self.add(&mut tree, target, around.as_deref(), callsite, span.name())?)
        };
        // Also bounds the tree where positions are shared by many callsites.
        if tree.children.len() < 16 * MOST {
            tree.children.insert(key, child);
        }
        Some(child)
    }

    fn add(
        &self,
        tree: &mut Tree,
        target: &Arc<Target>,
        around: Option<&Position>,
        callsite: usize,
        name: &str,
    ) -> Option<u32> {
        let name = segment(name);
        let path: Box<str> = around.map_or_else(|| name.clone(), |around| format!("{}/{name}", around.path)).into();
        let number = tree.next;
        let first = *tree.by_path.entry((target.number, path.clone())).or_insert(number);
        let before = around.map(|around| &*around.callsites).unwrap_or_default();
        let position = Position {
            target: Arc::clone(target),
            path,
            name: name.into(),
            first,
            callsites: before.iter().copied().chain([callsite]).collect(),
            futures: AtomicI8::new(0),
            raw: OnceLock::new(),
        };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MOST || number == Self::ROOT {
            return None;
        }
        all.insert(number, Arc::new(position));
        drop(all);
        tree.next += 1;
        Some(number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<Arc<Position>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&number).cloned()
    }

    /// Forgets the positions of a target that has ended, so that there is room for others.
    pub(crate) fn forget(&self, target: u32) {
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        tree.children.retain(|(of, ..), _| *of != target);
        tree.by_path.retain(|(of, _), _| *of != target);
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, position| position.target.number != target);
    }
}

/// The name of a span as a part of a path.
fn segment(name: &str) -> String {
    let end = name.char_indices().map(|(at, it)| at + it.len_utf8()).take_while(|end| *end <= LONGEST_NAME).last();
    let name = name.get(..end.unwrap_or(0)).unwrap_or_default();
    let name: String = name.chars().map(|it| if it == '/' || it.is_control() { '_' } else { it }).collect();
    match &*name {
        "" | "." | ".." => "_".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_part_of_a_path() {
        let awful = "x".repeat(300);
        for name in ["", ".", "..", "a/b", "GET /", "a\nb", "\u{e9}t\u{e9}", &awful] {
            let segment = segment(name);
            assert!(neptune_core::VariablePath::new(&format!("timing/{segment}")).is_ok(), "{name:?} is {segment:?}");
            assert!(!segment.contains('/'));
        }
    }
}
