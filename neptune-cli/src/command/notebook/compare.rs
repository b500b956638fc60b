//! `neptune notebook diff`: two notebooks, cell by cell.
//!
//! Cells that are equal in both are matched first, as many as there are in one order. What lies between two such cells is paired by
//! the ids of cells, and then in order: a pair is a changed cell, what is left was added or removed.

use std::path::Path;

use neptune_core::notebook::Cell;
use serde::Serialize;

use super::cells_of;
use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert_lines,
    screen::{BAD, BOLD, DIM, GOOD, Screen, painted},
};

/// Beyond this, of what differs, only what is equal at the begin and the end is matched: the table takes a byte for each pair of cells.
const MOST_PAIRS: usize = 1 << 26;

/// One cell that differs, with its places from 1.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Removed(usize),
    Added(usize),
    Changed(usize, usize),
}

#[derive(Serialize)]
struct Told<'a> {
    change: &'static str,
    /// The place of the cell in A and in B, from 1.
    a: Option<usize>,
    b: Option<usize>,
    kind: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    outputs_changed: bool,
}

pub(super) fn run(screen: &mut Screen, folder: &Path, arguments: &cli::NotebookDiff) -> Result<Exit, Failure> {
    let before = cells_of(folder, &arguments.a)?.cells;
    let after = cells_of(folder, &arguments.b)?.cells;
    let same =
        |a: &Cell, b: &Cell| a.kind == b.kind && a.source == b.source && (!arguments.outputs || a.outputs == b.outputs);
    let changes = changes(&before, &after, same);
    if screen.json {
        let told: Vec<_> = changes.iter().map(|change| told(change, &before, &after)).collect();
        screen.document(&told)?;
        return Ok(Exit::Fine);
    }
    if changes.is_empty() {
        screen.line("no cell differs")?;
    }
    for change in &changes {
        match change {
            Change::Removed(a) => print(screen, &format!("- [{}]", a + 1), before.get(*a), None, arguments.outputs)?,
            Change::Added(b) => print(screen, &format!("+ [{}]", b + 1), None, after.get(*b), arguments.outputs)?,
            Change::Changed(a, b) => {
                let place = if a == b { format!("~ [{}]", a + 1) } else { format!("~ [{}] -> [{}]", a + 1, b + 1) };
                print(screen, &place, before.get(*a), after.get(*b), arguments.outputs)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn told<'a>(change: &Change, before: &'a [Cell], after: &'a [Cell]) -> Told<'a> {
    let (name, a, b) = match *change {
        Change::Removed(a) => ("removed", Some(a), None),
        Change::Added(b) => ("added", None, Some(b)),
        Change::Changed(a, b) => ("changed", Some(a), Some(b)),
    };
    let (old, new) = (a.and_then(|a| before.get(a)), b.and_then(|b| after.get(b)));
    Told {
        change: name,
        a: a.map(|a| a + 1),
        b: b.map(|b| b + 1),
        kind: new.or(old).map_or("", |cell| cell.kind.as_str()),
        before: old.map(|cell| cell.source.as_str()),
        after: new.map(|cell| cell.source.as_str()),
        outputs_changed: old.zip(new).is_some_and(|(old, new)| old.outputs != new.outputs),
    }
}

fn print(
    screen: &mut Screen,
    place: &str,
    old: Option<&Cell>,
    new: Option<&Cell>,
    outputs: bool,
) -> Result<(), Failure> {
    let kind = new.or(old).map_or("", |cell| cell.kind.as_str());
    screen.line(painted(BOLD, format_args!("{place} {}", crate::inert::inert(kind))))?;
    let lines = |cell: Option<&Cell>| cell.map_or_else(Vec::new, |cell| inert_lines(&cell.source).collect());
    print_lines(screen, &lines(old), &lines(new))?;
    if outputs {
        let lines = |cell: Option<&Cell>| -> Vec<String> {
            let outputs = cell.map(|cell| cell.outputs.as_slice()).unwrap_or_default();
            outputs.iter().flat_map(|output| inert_lines(output)).map(|line| format!("| {line}")).collect()
        };
        print_lines(screen, &lines(old), &lines(new))?;
    }
    Ok(())
}

/// What was removed and added of two texts, with the lines that are in both.
fn print_lines(screen: &mut Screen, old: &[String], new: &[String]) -> Result<(), Failure> {
    let (mut a, mut b) = (0, 0);
    for (next_a, next_b) in matches(old, new, |old, new| old == new).into_iter().chain([(old.len(), new.len())]) {
        for line in old.get(a..next_a).unwrap_or_default() {
            screen.line(painted(BAD, format_args!("  - {line}")))?;
        }
        for line in new.get(b..next_b).unwrap_or_default() {
            screen.line(painted(GOOD, format_args!("  + {line}")))?;
        }
        if let Some(line) = old.get(next_a) {
            screen.line(painted(DIM, format_args!("    {line}")))?;
        }
        (a, b) = (next_a + 1, next_b + 1);
    }
    Ok(())
}

fn changes(before: &[Cell], after: &[Cell], same: impl Fn(&Cell, &Cell) -> bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut a, mut b) = (0, 0);
    let ends = [(before.len(), after.len())];
    for (next_a, next_b) in matches(before, after, same).into_iter().chain(ends) {
        between(before, after, (a..next_a).collect(), (b..next_b).collect(), &mut changes);
        (a, b) = (next_a + 1, next_b + 1);
    }
    changes
}

/// The changes of a stretch in which no cell is the same.
fn between(before: &[Cell], after: &[Cell], mut old: Vec<usize>, mut new: Vec<usize>, changes: &mut Vec<Change>) {
    let mut pairs = Vec::new();
    old.retain(|&a| {
        let partner = new.iter().position(|&b| before[a].id.is_some() && before[a].id == after[b].id);
        let Some(partner) = partner else { return true };
        pairs.push((a, new.remove(partner)));
        false
    });
    let paired = old.len().min(new.len());
    // Cells of different kinds are no change of one another.
    for _ in 0..paired {
        if before[old[0]].kind != after[new[0]].kind {
            break;
        }
        pairs.push((old.remove(0), new.remove(0)));
    }
    let mut found: Vec<(usize, Change)> = pairs.into_iter().map(|(a, b)| (b, Change::Changed(a, b))).collect();
    found.extend(new.into_iter().map(|b| (b, Change::Added(b))));
    found.sort_by_key(|(place, _)| *place);
    changes.extend(old.into_iter().map(Change::Removed));
    changes.extend(found.into_iter().map(|(_, change)| change));
}

/// The places of the longest sequence that is in both, in order.
fn matches<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<(usize, usize)> {
    let front = a.iter().zip(b).take_while(|(a, b)| same(a, b)).count();
    let (rest_a, rest_b) = (&a[front..], &b[front..]);
    let back = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let (middle_a, middle_b) = (&rest_a[..rest_a.len() - back], &rest_b[..rest_b.len() - back]);
    let mut found: Vec<_> = (0..front).map(|place| (place, place)).collect();
    found.extend(longest(middle_a, middle_b, same).into_iter().map(|(a, b)| (front + a, front + b)));
    found.extend((0..back).map(|place| (a.len() - back + place, b.len() - back + place)));
    found
}

/// Which way the longest sequence goes on from a pair of places.
#[derive(Clone, Copy)]
enum Way {
    Both,
    A,
    B,
}

fn longest<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<(usize, usize)> {
    let (high, wide) = (a.len(), b.len());
    if high == 0 || wide == 0 || high.saturating_mul(wide) > MOST_PAIRS {
        return Vec::new();
    }
    let mut ways = vec![Way::A; high * wide];
    // Lengths of the longest sequences of what lies behind, for this row and the one behind it.
    let mut behind = vec![0_u32; wide + 1];
    for (row, old) in a.iter().enumerate().rev() {
        let mut lengths = vec![0_u32; wide + 1];
        for (column, new) in b.iter().enumerate().rev() {
            let (length, way) = if same(old, new) {
                (behind[column + 1] + 1, Way::Both)
            } else if lengths[column + 1] > behind[column] {
                (lengths[column + 1], Way::B)
            } else {
                (behind[column], Way::A)
            };
            lengths[column] = length;
            ways[row * wide + column] = way;
        }
        behind = lengths;
    }
    let (mut row, mut column, mut found) = (0, 0, Vec::new());
    while row < high && column < wide {
        match ways[row * wide + column] {
            Way::Both => {
                found.push((row, column));
                (row, column) = (row + 1, column + 1);
            }
            Way::A => row += 1,
            Way::B => column += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use neptune_core::notebook::Cells;

    use super::*;

    fn cells(sources: &[(&str, &str)]) -> Vec<Cell> {
        let cells: Vec<_> = sources
            .iter()
            .map(|(id, source)| {
                let kind = if source.starts_with('#') { "markdown" } else { "code" };
                let mut cell = serde_json::json!({"cell_type": kind, "source": source});
                if !id.is_empty() {
                    cell["id"] = (*id).into();
                }
                cell
            })
            .collect();
        Cells::of(serde_json::json!({"nbformat": 4, "cells": cells}).to_string().as_bytes()).unwrap().cells
    }

    fn changed(a: &[(&str, &str)], b: &[(&str, &str)]) -> Vec<Change> {
        changes(&cells(a), &cells(b), |a, b| a.kind == b.kind && a.source == b.source)
    }

    #[test]
    fn cells_are_told_as_added_removed_and_changed() {
        use Change::{Added, Changed, Removed};
        let old = [("", "import"), ("", "load"), ("", "fit"), ("", "plot")];
        assert_eq!(changed(&old, &old), []);
        assert_eq!(changed(&old, &[("", "import"), ("", "load2"), ("", "fit"), ("", "plot")]), [Changed(1, 1)]);
        assert_eq!(changed(&old, &[("", "import"), ("", "fit"), ("", "plot")]), [Removed(1)]);
        let more = [("", "import"), ("", "load"), ("", "# text"), ("", "fit"), ("", "plot"), ("", "save")];
        assert_eq!(changed(&old, &more), [Added(2), Added(5)]);
        assert_eq!(changed(&[("", "a")], &[("", "# a")]), [Removed(0), Added(0)], "another kind is another cell");
        assert_eq!(changed(&[], &[("", "a")]), [Added(0)]);
        assert_eq!(changed(&[("", "a")], &[]), [Removed(0)]);
    }

    #[test]
    fn a_cell_that_moved_within_a_change_is_known_by_its_id() {
        let old = [("1", "a"), ("2", "b")];
        let new = [("2", "b2"), ("1", "a2")];
        assert_eq!(changed(&old, &new), [Change::Changed(1, 0), Change::Changed(0, 1)]);
    }
}
