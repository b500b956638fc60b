//! What a point of a series of images or of histograms holds: a small JSON document.
//!
//! In a journal and in a chunk such a point is text. The pixels of an image are an object beside.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::object::ObjectId;

/// The most bins of a histogram.
pub const MAX_BINS: usize = 512;

/// An image as it was logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedImage {
    /// Where its bytes are; `None` when they were not kept, because there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// How many bytes were logged: of the file, or of the pixels.
    pub size: u64,
    /// `pixels` when pixels were logged: such an object is kept as PNG. Otherwise what the file is: `png`, `jpeg`, ...
    pub format: String,
    /// Pixels from left to right; 0 when it is not known.
    pub width: u32,
    /// Pixels from top to bottom; 0 when it is not known.
    pub height: u32,
    /// What it shows, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How many values lie in each of a row of intervals.
///
/// Bin `i` counts the values from `edges[i]` on and below `edges[i + 1]`; the last bin takes its upper edge in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Histogram {
    edges: Vec<f64>,
    counts: Vec<u64>,
    not_finite: u64,
}

/// What is wrong with a histogram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    /// There are too many bins, or none.
    #[error("a histogram has 1 to {MAX_BINS} bins, not {0}")]
    Bins(usize),
    /// There is not one edge more than bins.
    #[error("a histogram of {counts} bins has {} edges, not {edges}", counts + 1)]
    Edges {
        /// Edges that were given.
        edges: usize,
        /// Bins that were given.
        counts: usize,
    },
    /// The edges are not finite numbers that ascend.
    #[error("the edges of a histogram are finite and ascend; edge {0} does not")]
    Order(usize),
}

impl Histogram {
    /// A histogram that was counted elsewhere: one edge more than counts.
    ///
    /// # Errors
    /// When there are no bins or more than 512, another number of edges, or edges that are not finite or do not ascend.
    pub fn new(edges: Vec<f64>, counts: Vec<u64>) -> Result<Self, HistogramError> {
        Self::with_not_finite(edges, counts, 0)
    }

    fn with_not_finite(edges: Vec<f64>, counts: Vec<u64>, not_finite: u64) -> Result<Self, HistogramError> {
        if counts.is_empty() || counts.len() > MAX_BINS {
            return Err(HistogramError::Bins(counts.len()));
        }
        if edges.len() != counts.len() + 1 {
            return Err(HistogramError::Edges { edges: edges.len(), counts: counts.len() });
        }
        let ascends = |pair: &[f64]| matches!(pair, [low, high] if low < high && low.is_finite() && high.is_finite());
        if let Some(wrong) = edges.windows(2).position(|pair| !ascends(pair)) {
            return Err(HistogramError::Order(wrong + 1));
        }
        Ok(Self { edges, counts, not_finite })
    }

    /// Counts `values` in `bins` intervals of one width (at least 1 and at most 512) from the least to the greatest of
    /// them. Values that are NaN or infinite are in no bin; they are counted apart.
    ///
    /// ```
    /// use neptune_format::Histogram;
    /// let histogram = Histogram::of([0.0, 0.1, 0.2, 1.0, f64::NAN], 2);
    /// assert_eq!(histogram.edges(), [0.0, 0.5, 1.0]);
    /// assert_eq!(histogram.counts(), [3, 1]);
    /// assert_eq!(histogram.not_finite(), 1);
    /// ```
    pub fn of<V: IntoIterator<Item = f64>>(values: V, bins: usize) -> Self
    where
        V::IntoIter: Clone,
    {
        let values = values.into_iter();
        let finite = || values.clone().filter(|value| value.is_finite());
        let (least, greatest) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
            (least.min(value), greatest.max(value))
        });
        let (least, greatest) = if least <= greatest { room_between(least, greatest) } else { (0.0, 1.0) };
        let mut edges = Vec::new();
        // Numbers that lie closely together may have fewer numbers between them than there should be bins.
        for bins in (1..=bins.clamp(1, MAX_BINS)).rev() {
            let share = |bin: usize| bin as f64 / bins as f64;
            edges = (0..=bins).map(|bin| least * (1.0 - share(bin)) + greatest * share(bin)).collect();
            if edges.windows(2).all(|pair| matches!(pair, [low, high] if low < high)) {
                break;
            }
        }
        let mut counts = vec![0_u64; edges.len().saturating_sub(1)];
        let mut not_finite = 0;
        for value in values {
            if value.is_finite() {
                let bin = edges.partition_point(|edge| *edge <= value).clamp(1, counts.len()) - 1;
                if let Some(count) = counts.get_mut(bin) {
                    *count += 1;
                }
            } else {
                not_finite += 1;
            }
        }
        Self { edges, counts, not_finite }
    }

    /// The limits of the bins, ascending; one more than there are bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// How many values lie in each bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were NaN or infinite.
    pub const fn not_finite(&self) -> u64 {
        self.not_finite
    }
}

/// An interval around values: with a width, even when they are all the same.
fn room_between(least: f64, greatest: f64) -> (f64, f64) {
    if least < greatest {
        return (least, greatest);
    }
    let half = if least == 0.0 { 0.5 } else { (least.abs() * 0.5).max(f64::MIN_POSITIVE) };
    ((least - half).max(f64::MIN), (least + half).min(f64::MAX))
}

#[derive(Serialize, Deserialize)]
struct Parts {
    edges: Vec<f64>,
    counts: Vec<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    not_finite: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Histogram> for Parts {
    fn from(histogram: Histogram) -> Self {
        let Histogram { edges, counts, not_finite } = histogram;
        Self { edges, counts, not_finite }
    }
}

impl TryFrom<Parts> for Histogram {
    type Error = HistogramError;

    fn try_from(Parts { edges, counts, not_finite }: Parts) -> Result<Self, HistogramError> {
        Self::with_not_finite(edges, counts, not_finite)
    }
}

/// What a point of such a series holds, and the text that stands for it.
pub trait Document: Serialize + DeserializeOwned {
    /// The text in journals and chunks.
    fn to_text(&self) -> String {
        serde_json::to_string(self).expect("only text and numbers are in it")
    }

    /// What `text` stands for; `None` when it is of a newer version or damaged.
    fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Document for LoggedImage {}
impl Document for Histogram {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_histogram_that_is_none_is_refused_with_the_place() {
        assert_eq!(Histogram::new(vec![0.0], vec![]), Err(HistogramError::Bins(0)));
        assert_eq!(Histogram::new(vec![0.0; 514], vec![0; 513]), Err(HistogramError::Bins(513)));
        assert_eq!(Histogram::new(vec![0.0, 1.0], vec![1, 2]), Err(HistogramError::Edges { edges: 2, counts: 2 }));
        assert_eq!(Histogram::new(vec![0.0, 1.0, 1.0], vec![1, 2]), Err(HistogramError::Order(2)));
        assert_eq!(Histogram::new(vec![0.0, f64::INFINITY], vec![1]), Err(HistogramError::Order(1)));
        assert_eq!(Histogram::from_text(r#"{"edges":[1,0],"counts":[3]}"#), None);
    }

    #[test]
    fn values_that_are_all_the_same_have_a_bin_around_them() {
        for value in [0.0, 3.0, -1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324, -5e-324] {
            let histogram = Histogram::of([value; 4], 8);
            assert_eq!(histogram.counts().iter().sum::<u64>(), 4, "{value}");
            assert!(Histogram::new(histogram.edges().to_vec(), histogram.counts().to_vec()).is_ok(), "{histogram:?}");
        }
        let empty = Histogram::of([], 3);
        assert_eq!((empty.edges().len(), empty.counts()), (4, &[0_u64, 0, 0][..]));
    }

    proptest! {
        #[test]
        fn every_value_is_counted_once_in_the_bin_that_holds_it(values: Vec<f64>, bins in 0_usize..700) {
            let histogram = Histogram::of(values.iter().copied(), bins);
            let finite = values.iter().filter(|value| value.is_finite()).count() as u64;
            prop_assert_eq!(histogram.counts().iter().sum::<u64>(), finite);
            prop_assert_eq!(histogram.not_finite(), values.len() as u64 - finite);
            let (edges, counts) = (histogram.edges(), histogram.counts());
            prop_assert!(counts.len() <= MAX_BINS);
            for (bin, count) in counts.iter().enumerate() {
                let is_last = bin + 1 == counts.len();
                let inside = |value: &&f64| {
                    **value >= edges[bin] && (**value < edges[bin + 1] || is_last && **value <= edges[bin + 1])
                };
                prop_assert_eq!(values.iter().filter(inside).count() as u64, *count);
            }
            prop_assert_eq!(Histogram::from_text(&histogram.to_text()), Some(histogram));
        }
    }

    #[test]
    fn an_image_reads_back_as_it_was_written() {
        let image = LoggedImage {
            object: Some(ObjectId::from_bytes([7; 32])),
            size: 784,
            format: "pixels".into(),
            width: 28,
            height: 28,
            name: Some("a \"7\"".into()),
            description: None,
        };
        assert_eq!(LoggedImage::from_text(&image.to_text()), Some(image.clone()));
        let without = LoggedImage { object: None, name: None, ..image };
        assert!(!without.to_text().contains("object"), "{}", without.to_text());
        assert_eq!(LoggedImage::from_text(&without.to_text()), Some(without));
        assert_eq!(LoggedImage::from_text("{}"), None);
    }
}
