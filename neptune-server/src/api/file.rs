//! `GET /experiments/{id}/file`: the bytes of a file, or of an image of a series.
//!
//! A path is looked up in the store, which names the content by its hash: no path leads to another file of this machine.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    path::PathBuf,
};

use axum::{
    extract,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use neptune_core::{AtomValue, LoggedImage, VariableType, download};
use neptune_store::{
    Store, Values, objects,
    read::{ExperimentKey, VariableValue},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    experiment::find,
};
use crate::{
    content::{self, Kind},
    pieces,
};

/// How much is shown as text.
const MOST_TEXT: usize = 1 << 20;

/// The longest file of pixels that is made an image here; larger ones are saved as they are.
const MOST_PIXELS: u64 = 128 << 20;

/// The longest HTML that is made a page here; longer ones are saved as they are.
const MOST_PAGE: u64 = 20 << 20;

/// What files of pixels end with until they are encoded.
const RAW: &str = "pam";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The path of a file, or of a series of images.
    path: String,
    /// The step of the image; the last one when it is not given.
    step: Option<f64>,
    /// 1: the first MiB as text, whatever it is. 2: HTML up to 20 MiB as a page on which nothing runs; anything else as without it.
    #[serde(default)]
    inline: u8,
}

/// Where the bytes are, and what they are called.
struct Found {
    source: PathBuf,
    name: String,
    /// Another one whenever the bytes are others.
    tag: String,
}

/// The bytes of a file, or of an image. PNG, JPEG, GIF, WebP and SVG are to be shown, anything else is to be saved.
#[utoipa::path(get, path = "/experiments/{id}/file", params(Id, Wanted), responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 304, description = "It is the one that was named"), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn file(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let inline = wanted.inline;
    let folder = state.folder;
    // Opening waits for its turn as well: an image that is made of pixels takes their room.
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        let found = look(store, &key, &folder, &wanted)?;
        Ok((found.tag.clone(), open(found, inline)?))
    });
    let (tag, (described, body)) = found.await?;
    let tag = format!("\"{tag}{}\"", ["", "-text", "-page"].get(usize::from(inline)).unwrap_or(&""));
    let tag = HeaderValue::from_str(&tag).map_err(|error| Problem::internal(error.to_string()))?;
    // The same address may have other bytes later.
    let cached = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    let mut response = match body {
        // What is said of it replaces what the browser has: the policy of a drawing must stay the one of a drawing.
        _ if is_known(&headers, &tag) => (StatusCode::NOT_MODIFIED, cached).into_response(),
        Content::Whole(bytes) => (StatusCode::OK, cached, bytes).into_response(),
        Content::File(file, size) => {
            let length = [(header::CONTENT_LENGTH, HeaderValue::from(size))];
            (StatusCode::OK, cached, length, pieces::of_file(file)).into_response()
        }
    };
    for (name, value) in described {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Whether the browser has what has this tag.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

fn look(store: &Store, key: &ExperimentKey, folder: &std::path::Path, wanted: &Wanted) -> Result<Found, Problem> {
    let path = &wanted.path;
    let variable = store.variable(key, path)?;
    let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
    match variable.value {
        VariableValue::Atom(AtomValue::File(file)) => Ok(Found {
            source: objects::file_of(folder, file.object),
            name: name.to_owned(),
            tag: file.object.to_string(),
        }),
        VariableValue::Series(_) if variable.kind == VariableType::IMAGE_SERIES => {
            let points = match wanted.step {
                Some(step) => store.series(key, path, step..=step)?,
                None => store.series_tail(key, path, 1)?,
            };
            let Values::Text(texts) = points.values else {
                return Err(Problem::internal(format!("{path:?} has no images")));
            };
            let (Some(text), Some(step)) = (texts.last(), points.steps.last()) else {
                return Err(Problem::not_found(format!("{path:?} has no image at this step; /points lists its steps")));
            };
            let what = format!("the image of {path:?} at step {step}");
            let image: LoggedImage = serde_json::from_str(text)
                .map_err(|error| Problem::internal(format!("{what} is damaged, or of a newer version: {error}")))?;
            let Some(object) = image.object else {
                return Err(Problem::not_found(format!("{what} was not kept: there were too many")));
            };
            let source = objects::file_of_image(folder, &image).unwrap_or_else(|| objects::file_of(folder, object));
            let is_pixels = image.format == objects::FORMAT_OF_PIXELS;
            let ending = if is_pixels { "png" } else { &image.format };
            // Pixels have the same hash before and after they are encoded, and are the same image.
            Ok(Found { source, name: format!("{name}-{step}.{ending}"), tag: object.to_string() })
        }
        _ => Err(Problem::invalid(format!("{path:?} is {}; only files and images have bytes", variable.kind))),
    }
}

/// What is sent.
enum Content {
    Whole(Vec<u8>),
    /// A file and its length.
    File(File, u64),
}

fn open(found: Found, inline: u8) -> Result<(Vec<(HeaderName, HeaderValue)>, Content), Problem> {
    let Found { source, name, .. } = found;
    let is_text = inline == 1;
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Problem::not_found(format!("the content of {name:?} is missing; see `neptune doctor`"))
        }
        _ => Problem::internal(format!("the content of {name:?} cannot be read: {error}")),
    };
    let mut file = download::open_file(&source).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if !is_text && size <= MOST_PIXELS && source.extension().is_some_and(|ending| ending == RAW) {
        let mut pixels = Vec::new();
        file.take(MOST_PIXELS).read_to_end(&mut pixels).map_err(cannot)?;
        let png = download::png(&pixels).map_err(cannot)?;
        return Ok((Kind::Image("image/png").headers(&name), Content::Whole(png)));
    }
    let most = if is_text { MOST_TEXT } else { 32 };
    let mut beginning = Vec::new();
    (&mut file).take(most as u64).read_to_end(&mut beginning).map_err(cannot)?;
    if is_text {
        return Ok((Kind::Text.headers(&name), Content::Whole(text(&beginning, size).into_bytes())));
    }
    file.rewind().map_err(cannot)?;
    if inline == 2 && size <= MOST_PAGE && Kind::is_page(&name) {
        let mut page = Vec::new();
        file.take(MOST_PAGE).read_to_end(&mut page).map_err(cannot)?;
        let page = content::without_links(&String::from_utf8_lossy(&page));
        return Ok((Kind::Page.headers(&name), Content::Whole(page.into_bytes())));
    }
    Ok((Kind::of(&beginning, &name).headers(&name), Content::File(file, size)))
}

/// Bytes as text; of those that are not all, without the character that is cut at the end.
fn text(bytes: &[u8], size: u64) -> String {
    let mut end = bytes.len();
    if size > end as u64 {
        let starts_character = |byte: &u8| !(0x80..0xc0).contains(byte);
        let last = bytes.iter().rev().take(4).position(starts_character).unwrap_or(0);
        end -= std::str::from_utf8(&bytes[end - last - 1..]).map_or(last + 1, |_| 0);
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_cut_within_a_character() {
        assert_eq!(text(b"ab\xe2\x82\xac", 99), "ab\u{20ac}");
        assert_eq!(text(b"ab\xe2\x82", 99), "ab");
        assert_eq!(text(b"ab\xe2\x82", 4), "ab\u{fffd}");
        assert_eq!(text(b"a\xffb", 99), "a\u{fffd}b");
        assert_eq!(text(b"", 0), "");
        assert_eq!(text(b"\x80\x80\x80\x80\x80", 99).chars().count(), 4);
    }
}
