//! The tables of series on the page of an experiment: numbers, texts, images, histograms.

use neptune_core::{Histogram, LoggedImage, VariableType};
use neptune_store::Store;

use super::{Page, TEXTS};
use crate::{
    chart,
    failure::Failure,
    hardware,
    inert::inert,
    kept, media, number,
    screen::{BOLD, GOING, Screen},
    table::{Column, Field, Table},
    value,
};

/// The bars of the small picture of a series.
const TREND: usize = 20;

/// How many series get one: each costs a query.
const TRENDS: usize = 200;

impl Page {
    pub(super) fn series(&self, screen: &mut Screen, store: &Store) -> Result<(), Failure> {
        let mut numbers = Table::new(vec![
            Column::new("SERIES").least(16).holds_paths(),
            right("LAST"),
            right("MIN"),
            right("MAX"),
            right("MEAN").missed(2),
            right("POINTS"),
            right("STEP").missed(1),
            Column::new("TREND").missed(0),
        ]);
        for (at, (path, summary)) in self.numbers().enumerate() {
            let statistics = summary.statistics;
            let trend = if at < TRENDS {
                chart::sparkline(&store.overview(&self.key, path, f64::NEG_INFINITY..=f64::INFINITY, TREND)?)
            } else {
                String::new()
            };
            let or_nothing = |value: Option<f64>| value.map(number::short).unwrap_or_default();
            numbers.row(vec![
                Field::new(inert(path)),
                Field::new(summary.last.as_f64().map(number::short).unwrap_or_default()).style(BOLD),
                Field::new(or_nothing(statistics.minimum)),
                Field::new(or_nothing(statistics.maximum)),
                Field::new(or_nothing(hardware::mean(summary))),
                Field::new(number::count(statistics.count)),
                Field::new(number::step(summary.last_step)),
                Field::new(trend).style(GOING),
            ]);
        }
        let mut texts = Table::new(vec![
            Column::new("TEXT").least(16).holds_paths(),
            right("POINTS"),
            Column::new("LAST").least(16),
        ]);
        let has_line = |path: &str| path.starts_with(kept::NAMESPACE) || TEXTS.iter().any(|(text, ..)| *text == path);
        for (path, summary) in self.texts().filter(|(path, _)| !has_line(path)) {
            texts.row(vec![
                Field::new(inert(path)),
                Field::new(number::count(summary.statistics.count)),
                Field::new(value::shown(&summary.last)),
            ]);
        }
        for table in [numbers, texts, self.images(), self.histograms()] {
            if !table.is_empty() {
                screen.line("")?;
                for line in table.lay(screen.width).lines {
                    screen.line(line)?;
                }
            }
        }
        Ok(())
    }

    fn images(&self) -> Table {
        let mut images = Table::new(vec![
            Column::new("IMAGES").least(16).holds_paths(),
            right("POINTS"),
            right("SIZE").missed(0),
            right("STEP").missed(1),
            Column::new("LAST").least(12),
        ]);
        for (path, summary) in self.series_of(VariableType::IMAGE_SERIES) {
            let image = summary.last.as_str().and_then(media::of::<LoggedImage>);
            let name = image.as_ref().and_then(|image| image.name.as_deref()).map(inert);
            images.row(vec![
                Field::new(inert(path)),
                Field::new(number::count(summary.statistics.count)),
                Field::new(image.as_ref().map(media::sides).unwrap_or_default()),
                Field::new(number::step(summary.last_step)),
                Field::new(name.unwrap_or_default()),
            ]);
        }
        images
    }

    fn histograms(&self) -> Table {
        let mut histograms = Table::new(vec![
            Column::new("HISTOGRAMS").least(16).holds_paths(),
            right("POINTS"),
            right("BINS"),
            right("VALUES").missed(0),
            right("STEP").missed(1),
            Column::new("RANGE"),
        ]);
        for (path, summary) in self.series_of(VariableType::HISTOGRAM_SERIES) {
            let last = summary.last.as_str().and_then(media::of::<Histogram>);
            let told = |tell: fn(&Histogram) -> String| Field::new(last.as_ref().map(tell).unwrap_or_default());
            histograms.row(vec![
                Field::new(inert(path)),
                Field::new(number::count(summary.statistics.count)),
                told(|histogram| number::count(histogram.counts().len() as u64)),
                told(|histogram| number::count(media::values(histogram))),
                Field::new(number::step(summary.last_step)),
                told(media::range),
            ]);
        }
        histograms
    }
}

fn right(title: &str) -> Column {
    Column::new(title).right_aligned()
}
