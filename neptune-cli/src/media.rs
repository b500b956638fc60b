//! Images and histograms of a series on one line, whatever their documents hold.

use neptune_core::{Content, Histogram, LoggedImage, VariableType};
use serde::de::DeserializeOwned;

use crate::{inert::inert, number};

/// What a point of a series of this type holds, on one line; `None` when it is no image and no histogram.
pub(crate) fn shown(kind: VariableType, text: &str) -> Option<String> {
    match kind.content {
        Content::Image => Some(of::<LoggedImage>(text).map_or_else(|| inert(text), |image| shown_image(&image))),
        Content::Histogram => {
            Some(of::<Histogram>(text).map_or_else(|| inert(text), |histogram| shown_histogram(&histogram)))
        }
        _ => None,
    }
}

/// As [`shown`], of a document whose type is not known; itself when it is neither.
pub(crate) fn shown_document(text: &str) -> String {
    if let Some(image) = of::<LoggedImage>(text) {
        return shown_image(&image);
    }
    of::<Histogram>(text).map_or_else(|| inert(text), |histogram| shown_histogram(&histogram))
}

/// The document in `text`; `None` when it is of a newer version or damaged.
pub(crate) fn of<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// Width and height in pixels, where they are known.
pub(crate) fn sides(image: &LoggedImage) -> String {
    if image.width == 0 || image.height == 0 {
        return String::new();
    }
    format!("{}x{}", image.width, image.height)
}

fn shown_image(image: &LoggedImage) -> String {
    let format = inert(&image.format);
    let not_kept = if image.object.is_none() { Some("not kept".to_owned()) } else { None };
    let texts = [&image.name, &image.description].map(|text| text.as_deref().map(inert));
    let sides = Some(sides(image)).filter(|sides| !sides.is_empty());
    let parts = [Some(format), sides, Some(number::bytes(image.size)), not_kept].into_iter().chain(texts);
    parts.flatten().collect::<Vec<_>>().join("  ")
}

fn shown_histogram(histogram: &Histogram) -> String {
    let bins = number::counted(histogram.counts().len() as u64, "bin", "bins");
    let not_finite = match histogram.not_finite() {
        0 => String::new(),
        count => format!("; {} NaN or infinite", number::count(count)),
    };
    let values = number::counted(values(histogram), "value", "values");
    format!("{values} in {bins}, {}{not_finite}", range(histogram))
}

/// How many values were counted in its bins.
pub(crate) fn values(histogram: &Histogram) -> u64 {
    histogram.counts().iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// From its first edge to its last.
pub(crate) fn range(histogram: &Histogram) -> String {
    let edges = histogram.edges();
    let edge = |edge: Option<&f64>| edge.map(|edge| number::short(*edge)).unwrap_or_default();
    format!("{} to {}", edge(edges.first()), edge(edges.last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_and_a_histogram_take_one_line_each() {
        let image = "{\"size\":2048,\"format\":\"png\",\"width\":4,\"height\":3,\"name\":\"a\\u001b[2J\"}";
        assert_eq!(shown(VariableType::IMAGE_SERIES, image).unwrap(), "png  4x3  2.00 KiB  not kept  a\\u{1b}[2J");
        assert_eq!(shown_document(image), shown(VariableType::IMAGE_SERIES, image).unwrap());
        let histogram = "{\"edges\":[0,0.5,1],\"counts\":[3,1],\"not_finite\":2}";
        let line = "4 values in 2 bins, 0 to 1; 2 NaN or infinite";
        assert_eq!(shown(VariableType::HISTOGRAM_SERIES, histogram).unwrap(), line);
        assert_eq!(shown_document(histogram), line);
    }

    #[test]
    fn a_document_that_is_neither_is_shown_as_it_is() {
        assert_eq!(shown(VariableType::IMAGE_SERIES, "{\u{1b}").unwrap(), "{\\u{1b}");
        assert_eq!(shown_document("{\"a\":1}"), "{\"a\":1}");
        assert_eq!(shown(VariableType::STRING_SERIES, "a"), None);
    }
}
