//! A chart of one series of numbers, drawn with dots of braille: two by four to a character.
//!
//! The least and the greatest value are always drawn, however many points share a column, and nothing is drawn where values
//! are not finite.

use neptune_store::read::Bucket;

use crate::{inert::width, number};

/// Rows of the drawing.
const ROWS: usize = 13;
/// Every so many rows has a label. Divides the rows but the first.
const LABEL_EVERY: usize = 3;
const LABELS: usize = (ROWS - 1) / LABEL_EVERY + 1;

/// The dots of a character, by row and column, as bits that are added to the empty one.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const NO_DOTS: u32 = 0x2800;

const TICK: char = '\u{2524}';
const SIDE: char = '\u{2502}';
const CORNER: char = '\u{2514}';
const BOTTOM: char = '\u{2500}';

/// A point of the line.
type Point = (f64, f64);

/// How many buckets a chart of this width needs: several to a column of dots, or it would show where they meet.
pub(crate) const fn buckets(width: usize) -> usize {
    8 * width
}

/// The lines of a chart that is `width` characters wide; nothing where no value is finite.
pub(crate) fn chart(overview: &[Bucket], width: usize) -> Vec<String> {
    let points: Vec<Point> = overview.iter().flat_map(points_of).collect();
    drawn(&points, width)
}

/// The points of a bucket that a line must go through to look as if it went through all of them.
fn points_of(bucket: &Bucket) -> Vec<Point> {
    let mut points = vec![(bucket.first_step, bucket.first)];
    if bucket.count > 2 {
        let mut extremes: Vec<Point> = [bucket.minimum, bucket.maximum].into_iter().flatten().collect();
        extremes.sort_by(|left, right| left.0.total_cmp(&right.0));
        points.extend(extremes);
    }
    if bucket.count > 1 {
        points.push((bucket.last_step, bucket.last));
    }
    points
}

fn drawn(points: &[Point], room: usize) -> Vec<String> {
    let finite = || points.iter().filter(|(_, value)| value.is_finite());
    let Some(least) = finite().map(|point| point.1).reduce(f64::min) else { return Vec::new() };
    let greatest = finite().map(|point| point.1).reduce(f64::max).unwrap_or(least);
    let (bottom, top) = if least < greatest { (least, greatest) } else { around(least) };
    let (first, last) = points.first().zip(points.last()).map_or((0.0, 0.0), |(first, last)| (first.0, last.0));

    let labels = labels(bottom, top);
    let label_width = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let columns = room.saturating_sub(label_width + 2).max(8);
    let mut canvas = Canvas::new(columns, ROWS);
    let place = |point: &Point| {
        (share(point.0, first, last, canvas.width() - 1), share(point.1, top, bottom, canvas.height() - 1))
    };
    let dots: Vec<Option<(usize, usize)>> =
        points.iter().map(|point| point.1.is_finite().then(|| place(point))).collect();
    let mut before = None;
    for dot in dots {
        if let Some(dot) = dot {
            canvas.line(before.unwrap_or(dot), dot);
        }
        before = dot;
    }

    let mut lines: Vec<String> = (0..ROWS)
        .map(|row| {
            let label = if row % LABEL_EVERY == 0 { labels[row / LABEL_EVERY].as_str() } else { "" };
            let side = if label.is_empty() { SIDE } else { TICK };
            format!("{label:>label_width$} {side}{}", canvas.row(row))
        })
        .collect();
    lines.push(format!("{:label_width$} {CORNER}{}", "", BOTTOM.to_string().repeat(columns)));
    lines.push(format!("{:label_width$}  {}", "", steps(first, last, columns)));
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Where a line lies that does not rise or fall: in the middle.
fn around(value: f64) -> (f64, f64) {
    let margin = (value.abs() / 2.0).max(f64::MIN_POSITIVE);
    if value.abs() < f64::MIN_POSITIVE { (-1.0, 1.0) } else { (value - margin, (value + margin).min(f64::MAX)) }
}

/// Where `value` lies between `from` and `to`, as one of the places 0 to `most`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, NaN gives 0")]
fn share(value: f64, from: f64, to: f64, most: usize) -> usize {
    // Halves, so that no range is infinitely wide.
    let share = (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
    ((share * most as f64).round() as usize).min(most)
}

/// The labels from the top down, with as many digits as it takes to tell them apart.
fn labels(bottom: f64, top: f64) -> Vec<String> {
    let between = (LABELS - 1) as f64;
    let apart = top / between - bottom / between;
    let values: Vec<f64> = (0..LABELS)
        .map(|index| {
            let down = index as f64 / between;
            top * (1.0 - down) + bottom * down
        })
        .collect();
    let largest = bottom.abs().max(top.abs());
    if (1e-3..1e6).contains(&largest) && apart > 1e-6 {
        let decimals = digits(1.0 / apart);
        return values.iter().map(|value| format!("{:.decimals$}", value + 0.0)).collect();
    }
    let decimals = digits(largest / apart);
    values.iter().map(|value| format!("{:.decimals$e}", value + 0.0)).collect()
}

/// How many digits it takes to count to `ratio`, and one more, but at most 12.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before the cast")]
fn digits(ratio: f64) -> usize {
    (ratio.log10().ceil() + 1.0).clamp(0.0, 12.0) as usize
}

/// The first, the middle and the last step below their places.
fn steps(first: f64, last: f64, columns: usize) -> String {
    let (left, right) = (number::step(first), number::step(last));
    if first >= last {
        return format!("step {left}");
    }
    let middle = number::step(f64::midpoint(first, last).round());
    let middle = if last - first >= 4.0 { middle } else { String::new() };
    let free = columns.saturating_sub(width(&left) + width(&middle) + width(&right));
    let before = (columns / 2).saturating_sub(width(&left) + width(&middle) / 2).min(free);
    format!("{left}{:before$}{middle}{:behind$}{right}", "", "", behind = free - before)
}

/// Dots, four rows and two columns of them to a character.
struct Canvas {
    columns: usize,
    cells: Vec<u8>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, cells: vec![0; columns * rows] }
    }

    /// Dots from left to right.
    const fn width(&self) -> usize {
        2 * self.columns
    }

    /// Dots from top to bottom.
    const fn height(&self) -> usize {
        4 * self.cells.len() / self.columns
    }

    fn dot(&mut self, x: usize, y: usize) {
        if let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2) {
            *cell |= DOTS[y % 4][x % 2];
        }
    }

    /// A line from one dot to another one, which is not to the left of it.
    fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let (wide, high) = (to.0.saturating_sub(from.0), to.1.abs_diff(from.1));
        let length = wide.max(high);
        for at in 0..=length {
            // Rounded to the nearest dot; a line of no length is one dot.
            let along = |whole: usize| (whole * at * 2 + length) / (2 * length).max(1);
            let y = if to.1 >= from.1 { from.1 + along(high) } else { from.1 - along(high) };
            self.dot(from.0 + along(wide), y);
        }
    }

    fn row(&self, row: usize) -> String {
        let cells = self.cells.iter().skip(row * self.columns).take(self.columns);
        cells
            .map(|cell| if *cell == 0 { ' ' } else { char::from_u32(NO_DOTS + u32::from(*cell)).unwrap_or(' ') })
            .collect()
    }
}

/// The means of the buckets as bars of eight heights, one character each; a gap where no value is finite.
pub(crate) fn sparkline(overview: &[Bucket]) -> String {
    bars(&overview.iter().map(Bucket::mean).collect::<Vec<_>>())
}

fn bars(values: &[Option<f64>]) -> String {
    const BARS: [char; 8] =
        ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
    let finite = || values.iter().flatten().copied();
    let (Some(least), Some(greatest)) = (finite().reduce(f64::min), finite().reduce(f64::max)) else {
        return String::new();
    };
    let (bottom, top) = if least < greatest { (least, greatest) } else { around(least) };
    values.iter().map(|value| value.map_or(' ', |value| BARS[share(value, bottom, top, BARS.len() - 1)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dots of the drawing, row by row, without the axes.
    fn dots(lines: &[String]) -> Vec<String> {
        let mut rows = Vec::new();
        for line in &lines[..ROWS] {
            let cells: Vec<u32> = line
                .chars()
                .skip_while(|character| ![TICK, SIDE].contains(character))
                .skip(1)
                .map(|character| u32::from(character).saturating_sub(NO_DOTS))
                .collect();
            for row in DOTS {
                rows.push(
                    cells
                        .iter()
                        .flat_map(|cell| {
                            row.map(|dot| if cell & u32::from(dot) > 0 && *cell < 256 { '#' } else { '.' })
                        })
                        .collect(),
                );
            }
        }
        rows
    }

    fn straight(n: u32) -> Vec<Point> {
        (0..n).map(|step| (f64::from(step), f64::from(step))).collect()
    }

    #[test]
    fn a_rising_line_goes_from_corner_to_corner() {
        let lines = drawn(&straight(100), 40);
        assert_eq!(lines.len(), ROWS + 2);
        let dots = dots(&lines);
        assert_eq!(dots.len(), 4 * ROWS);
        assert!(dots[0].ends_with('#'), "{}", lines.join("\n"));
        assert!(dots[4 * ROWS - 1].starts_with('#'));
        for (row, dots) in dots.iter().enumerate() {
            assert!(dots.contains('#'), "row {row} is empty\n{}", lines.join("\n"));
        }
        assert!(lines.iter().all(|line| width(line) <= 40));
    }

    #[test]
    fn a_spike_between_many_points_is_drawn() {
        let mut points: Vec<Point> = (0..100_000).map(|step| (f64::from(step), 1.0)).collect();
        points[50_000].1 = 9.0;
        points[70_000].1 = -9.0;
        let lines = drawn(&points, 60);
        let dots = dots(&lines);
        assert!(dots[0].contains('#') && dots[4 * ROWS - 1].contains('#'), "{}", lines.join("\n"));
        assert!(lines[0].trim_start().starts_with("9.0"), "{}", lines[0]);
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap() {
        let value = |step: u32| if (40..60).contains(&step) { f64::NAN } else { 1.0 };
        let points: Vec<Point> = (0..100).map(|step| (f64::from(step), value(step))).collect();
        let lines = drawn(&points, 60);
        let row = dots(&lines).into_iter().find(|row| row.contains('#')).unwrap();
        let gap = row.trim_matches('.').matches('.').count();
        assert!((18..26).contains(&gap), "{row}");
        let lines = drawn(&[(0.0, f64::NAN), (1.0, f64::INFINITY)], 60);
        assert!(lines.is_empty());
    }

    #[test]
    fn a_flat_line_is_in_the_middle() {
        for value in [0.0, 3.0, -3.0, f64::MAX, f64::MIN_POSITIVE] {
            let lines = drawn(&[(0.0, value), (1.0, value)], 40);
            let row = dots(&lines).iter().position(|row| row.contains('#')).unwrap();
            let middle = if value >= f64::MAX { 0..2 * ROWS + 1 } else { 2 * ROWS - 2..2 * ROWS + 1 };
            assert!(middle.contains(&row), "{value}: row {row}\n{}", lines.join("\n"));
        }
    }

    #[test]
    fn the_widest_range_and_a_single_point_are_drawn() {
        let lines = drawn(&[(-f64::MAX, -f64::MAX), (0.0, 0.0), (f64::MAX, f64::MAX)], 50);
        let all = dots(&lines);
        assert!(all[0].ends_with('#') && all[4 * ROWS - 1].starts_with('#'), "{}", lines.join("\n"));
        let lines = drawn(&[(7.0, 0.5)], 50);
        assert_eq!(dots(&lines).concat().matches('#').count(), 1);
        assert!(lines[ROWS + 1].ends_with("step 7"), "{}", lines[ROWS + 1]);
    }

    #[test]
    fn labels_tell_the_rows_apart() {
        assert_eq!(labels(0.12, 2.31), ["2.31", "1.76", "1.22", "0.67", "0.12"]);
        assert_eq!(labels(0.0, 400.0), ["400", "300", "200", "100", "0"]);
        for (bottom, top) in [(0.98, 0.980_01), (1e-9, 2e-9), (1e6, 1e6 + 1.0), (-1e300, 1e300), (-5.0, 1e9)] {
            let mut labels = labels(bottom, top);
            labels.dedup();
            assert_eq!(labels.len(), LABELS, "{bottom} to {top}: {labels:?}");
        }
    }

    #[test]
    fn steps_stand_at_the_ends_and_in_the_middle() {
        let line = steps(0.0, 1000.0, 40);
        assert_eq!((line.len(), line.find("500")), (40, Some(19)));
        assert!(line.starts_with("0 ") && line.ends_with(" 1000"));
        assert_eq!(steps(0.0, 1.0, 10), "0        1");
        assert_eq!(steps(123_456.0, 7_123_456.0, 8).split_whitespace().count(), 1, "no room, but no panic");
    }

    #[test]
    fn a_sparkline_has_a_bar_for_each_mean() {
        assert_eq!(bars(&[Some(0.0), Some(7.0), None, Some(3.5)]), "\u{2581}\u{2588} \u{2585}");
        assert_eq!(bars(&[Some(2.0), Some(2.0)]).chars().count(), 2);
        assert_eq!(bars(&[None]), "");
    }
}
