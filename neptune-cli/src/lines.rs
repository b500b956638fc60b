//! How two texts differ, line by line: the shortest way from one to the other, as Myers described it in 1986.

/// More lines than that are not compared one by one.
const MOST_LINES: usize = 20_000;

/// More steps than that are not searched for: texts that differ so much have little in common.
const MOST_STEPS: usize = 1_000;

/// A line of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// In both, near to what differs.
    Both(&'a str),
    /// In the first text only.
    Left(&'a str),
    /// In the second text only.
    Right(&'a str),
    /// So many lines of both are not shown.
    Skipped(usize),
}

/// The lines that differ, each with up to `context` lines of both before and behind it.
pub(crate) fn compare<'a>(left: &'a str, right: &'a str, context: usize) -> Vec<Line<'a>> {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let front = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let (left_rest, right_rest) = (&left[front..], &right[front..]);
    let back = left_rest.iter().rev().zip(right_rest.iter().rev()).take_while(|(left, right)| left == right).count();
    let mut lines: Vec<Line<'a>> = left[..front].iter().copied().map(Line::Both).collect();
    lines.extend(middle(&left_rest[..left_rest.len() - back], &right_rest[..right_rest.len() - back]));
    lines.extend(left_rest[left_rest.len() - back..].iter().copied().map(Line::Both));
    shortened(&lines, context)
}

fn middle<'a>(left: &[&'a str], right: &[&'a str]) -> Vec<Line<'a>> {
    let replaced = || left.iter().copied().map(Line::Left).chain(right.iter().copied().map(Line::Right)).collect();
    if left.len().max(right.len()) > MOST_LINES {
        return replaced();
    }
    let Some(rounds) = search(left, right) else { return replaced() };
    // Back from the end: each round is a line of one text, behind which lines of both follow.
    let mut lines = Vec::new();
    let (mut x, mut y) = (left.len(), right.len());
    for (distance, furthest) in rounds.iter().enumerate().rev() {
        let diagonal = x.cast_signed() - y.cast_signed();
        let (was_down, before) = came_from(furthest, diagonal, distance);
        let (before_x, before_y) = if distance == 0 {
            (0, 0)
        } else {
            let before_x = at(furthest, before);
            (before_x, (before_x.cast_signed() - before).cast_unsigned())
        };
        let (start_x, start_y) = match (distance, was_down) {
            (0, _) => (0, 0),
            (_, true) => (before_x, before_y + 1),
            (_, false) => (before_x + 1, before_y),
        };
        while x > start_x && y > start_y {
            (x, y) = (x - 1, y - 1);
            lines.push(Line::Both(left[x]));
        }
        if distance > 0 {
            lines.push(if was_down { Line::Right(right[before_y]) } else { Line::Left(left[before_x]) });
            (x, y) = (before_x, before_y);
        }
    }
    lines.reverse();
    lines
}

/// For each number of lines that differ, how far one comes in `left` on each diagonal with one fewer.
fn search(left: &[&str], right: &[&str]) -> Option<Vec<Vec<usize>>> {
    let most = (left.len() + right.len()).min(MOST_STEPS);
    let mut furthest: Vec<usize> = vec![0; 2 * most + 3];
    let mut rounds = Vec::new();
    for distance in 0..=most {
        // Only what this round looks at.
        rounds.push(around(&furthest, distance));
        for diagonal in (-distance.cast_signed()..=distance.cast_signed()).step_by(2) {
            let kept = rounds.last()?;
            let (was_down, before) = came_from(kept, diagonal, distance);
            let mut x = match (distance, was_down) {
                (0, _) => 0,
                (_, true) => at(kept, before),
                (_, false) => at(kept, before) + 1,
            };
            let mut y = (x.cast_signed() - diagonal).cast_unsigned();
            while x < left.len() && y < right.len() && left[x] == right[y] {
                (x, y) = (x + 1, y + 1);
            }
            let middle = furthest.len() / 2;
            furthest[middle.wrapping_add_signed(diagonal)] = x;
            if x >= left.len() && y >= right.len() {
                return Some(rounds);
            }
        }
    }
    None
}

/// The middle of `furthest`, as wide as a round needs it.
fn around(furthest: &[usize], distance: usize) -> Vec<usize> {
    let middle = furthest.len() / 2;
    furthest[middle - distance - 1..=middle + distance + 1].to_vec()
}

fn at(kept: &[usize], diagonal: isize) -> usize {
    kept[(kept.len() / 2).wrapping_add_signed(diagonal)]
}

/// Whether a diagonal is reached by a line of the second text, and from which diagonal.
fn came_from(kept: &[usize], diagonal: isize, distance: usize) -> (bool, isize) {
    let most = distance.cast_signed();
    let is_down = diagonal == -most || (diagonal != most && at(kept, diagonal - 1) < at(kept, diagonal + 1));
    (is_down, if is_down { diagonal + 1 } else { diagonal - 1 })
}

fn shortened<'a>(lines: &[Line<'a>], context: usize) -> Vec<Line<'a>> {
    let differs: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Both(_))).map(|(at, _)| at).collect();
    let mut shown = Vec::new();
    let mut skipped = 0;
    for (at, line) in lines.iter().enumerate() {
        let next = differs.partition_point(|other| *other < at);
        let is_near = [next.checked_sub(1).and_then(|before| differs.get(before)), differs.get(next)]
            .into_iter()
            .flatten()
            .any(|other| other.abs_diff(at) <= context);
        if is_near {
            if skipped > 0 {
                shown.push(Line::Skipped(std::mem::take(&mut skipped)));
            }
            shown.push(*line);
        } else {
            skipped += 1;
        }
    }
    if skipped > 0 && !shown.is_empty() {
        shown.push(Line::Skipped(skipped));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(lines: &[Line<'_>]) -> String {
        let line = |line: &Line<'_>| match line {
            Line::Both(text) => format!(" {text}"),
            Line::Left(text) => format!("-{text}"),
            Line::Right(text) => format!("+{text}"),
            Line::Skipped(count) => format!("..{count}"),
        };
        lines.iter().map(line).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn a_changed_line_is_shown_with_what_stands_around_it() {
        let left = "a\nb\nc\nd\ne\nf\ng";
        let right = "a\nb\nc\nD\ne\nf\ng";
        assert_eq!(written(&compare(left, right, 1)), "..2| c|-d|+D| e|..2");
        assert_eq!(written(&compare(left, left, 3)), "");
        assert_eq!(written(&compare("", "x\ny", 3)), "+x|+y");
        assert_eq!(written(&compare("x\ny", "", 3)), "-x|-y");
    }

    #[test]
    fn the_shortest_way_is_found() {
        let lines = |text: &str| text.chars().flat_map(|character| [character, '\n']).collect::<String>();
        let (left, right) = (lines("abcabba"), lines("cbabac"));
        let found = compare(&left, &right, 99);
        assert_eq!(found.iter().filter(|line| !matches!(line, Line::Both(_))).count(), 5, "{}", written(&found));
    }

    #[test]
    fn every_comparison_gives_both_texts_back() {
        let mut state = 7_u64;
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..500 {
            let mut text = || (0..random(30)).flat_map(|_| [["a", "b", "c", "d"][random(4)], "\n"]).collect::<String>();
            let (left, right) = (text(), text());
            let lines = compare(&left, &right, 1_000);
            let side = |is_left: bool| -> String {
                let of = |line: &Line<'_>| match line {
                    Line::Both(text) => Some(format!("{text}\n")),
                    Line::Left(text) if is_left => Some(format!("{text}\n")),
                    Line::Right(text) if !is_left => Some(format!("{text}\n")),
                    _ => None,
                };
                lines.iter().filter_map(of).collect()
            };
            if left != right {
                assert_eq!((side(true), side(false)), (left.clone(), right.clone()), "{}", written(&lines));
            }
        }
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_replaced() {
        let numbered = |prefix: &str| vec![prefix; 3_000].join("\n");
        let (left, right) = (numbered("a"), numbered("b"));
        assert_eq!(compare(&left, &right, 3).len(), 6_000);
    }
}
