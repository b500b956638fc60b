//! What a path of `neptune get` means: an artifact, several below a path, a checkpoint, or an image of a series.

use std::path::Path;

use neptune_core::{Artifact, AtomValue, File, LoggedImage, VariableType};
use neptune_store::{
    ErrorKind, Store, Values, objects,
    read::{ExperimentKey, Variable, VariableValue},
};

use super::Wanted;
use crate::{
    checkpoints::{self, ARTIFACTS, BEST, Family, LATEST},
    cli,
    failure::Failure,
    media, number, reading,
};

/// What is to be written.
#[derive(Debug)]
pub(super) enum Found {
    One(Wanted),
    Several {
        files: Vec<Wanted>,
        /// The name of the folder, when the user names none. Not to be trusted.
        folder: String,
    },
}

pub(super) fn find(store: &Store, folder: &Path, key: &ExperimentKey, get: &cli::Get) -> Result<Found, Failure> {
    let name = get.path.as_deref().unwrap_or_default().trim_end_matches('/');
    if get.sources {
        return sources(folder, key, name);
    }
    let search = Search { store, folder, key, variables: store.variables(key, "")? };
    if let Some(found) = search.image(name, get)? {
        return Ok(found);
    }
    if get.step.is_some() {
        // With the nearest paths, when there is nothing at all.
        let path = store.resolve(key, name)?;
        let kind = store.variable(key, &path)?.kind;
        return Err(Failure::wrong(format!("{path} is {kind}; only a series of images has steps to choose from")));
    }
    if let Some(file) = search.file(name) {
        return Ok(Found::One(file));
    }
    if let Some(found) = search.checkpoint(name)? {
        return Ok(found);
    }
    if let Some(found) = search.below(name) {
        return Ok(found);
    }
    search.nothing(name)
}

/// The source files at or below `name`; of those below, each under its path from there on.
fn sources(folder: &Path, key: &ExperimentKey, name: &str) -> Result<Found, Failure> {
    let experiment = reading::stored(folder, key)?;
    let wanted = |source: Artifact, name: &str| Wanted {
        what: format!("sources/{} of {}", source.path, key.short_id),
        source: objects::file_of(folder, source.digest),
        object: Some(source.digest),
        name: name.to_owned(),
    };
    let mut found = experiment.sources(name)?;
    if let Some(at) = found.iter().position(|source| source.path == name) {
        let source = found.swap_remove(at);
        return Ok(Found::One(wanted(source, last_name(name))));
    }
    let below = |source: Artifact| {
        let within = source.path.strip_prefix(name).unwrap_or(&source.path);
        let within = if name.is_empty() { within } else { within.strip_prefix('/').unwrap_or(within) };
        let within = within.to_owned();
        wanted(source, &within)
    };
    let files = found.into_iter().map(below).collect();
    let folder = if name.is_empty() { "sources" } else { last_name(name) };
    Ok(Found::Several { files, folder: folder.to_owned() })
}

struct Search<'a> {
    store: &'a Store,
    folder: &'a Path,
    key: &'a ExperimentKey,
    variables: Vec<Variable>,
}

impl Search<'_> {
    /// An image of the series at `name`, if it is one.
    fn image(&self, name: &str, get: &cli::Get) -> Result<Option<Found>, Failure> {
        let path = match self.store.resolve(self.key, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            path => path?,
        };
        if self.store.variable(self.key, &path)?.kind != VariableType::IMAGE_SERIES {
            return Ok(None);
        }
        let points = match get.step {
            Some(step) => self.store.series(self.key, &path, step..=step)?,
            None => self.store.series_tail(self.key, &path, 1)?,
        };
        let text = match &points.values {
            Values::Text(texts) => texts.last(),
            Values::Float(_) => None,
        };
        let (Some(text), Some(step)) = (text, points.steps.last()) else {
            return Err(self.no_step(&path, get.step)?);
        };
        let what = format!("{path} of {} at step {}", self.key.short_id, number::step(*step));
        let Some(image) = media::of::<LoggedImage>(text) else {
            return Err(Failure::failed(format!("{what} is no image: it is of a newer version, or damaged")));
        };
        let Some(object) = image.object else {
            let size = number::bytes(image.size);
            return Err(Failure::not_found(format!("the content of {what} was not kept ({size}); see `neptune show`")));
        };
        let is_pixels = image.format == objects::FORMAT_OF_PIXELS;
        let source =
            objects::file_of_image(self.folder, &image).unwrap_or_else(|| objects::file_of(self.folder, object));
        let ending = if is_pixels {
            if source.extension().is_some_and(|ending| ending == "pam") { "pam" } else { "png" }
        } else {
            ending(&image.format)
        };
        let name = format!("{}.{ending}", last_name(&path));
        // Pixels have the hash of what was logged, until they are encoded.
        let object = (!is_pixels || ending == "pam").then_some(object);
        Ok(Some(Found::One(Wanted { what, source, object, name })))
    }

    /// That a series has no such step, with the nearest.
    fn no_step(&self, path: &str, step: Option<f64>) -> Result<Failure, Failure> {
        let id = &self.key.short_id;
        let steps = self.store.series(self.key, path, f64::NEG_INFINITY..=f64::INFINITY)?.steps;
        let wanted = step.unwrap_or(f64::NAN);
        let behind = steps.partition_point(|step| *step < wanted);
        let near = [behind.checked_sub(1).and_then(|at| steps.get(at)), steps.get(behind)];
        let near: Vec<String> = near.into_iter().flatten().map(|step| number::step(*step)).collect();
        let step = number::step(wanted);
        Ok(Failure::not_found(if near.is_empty() {
            format!("{path} of {id} has no images")
        } else {
            format!("{path} of {id} has no image at step {step}; near it are {}", near.join(" and "))
        }))
    }

    /// The file at `name`, or at `artifacts/NAME`.
    fn file(&self, name: &str) -> Option<Wanted> {
        let candidates = [name.to_owned(), format!("{ARTIFACTS}{name}")];
        let path = candidates.iter().find_map(|path| self.files().find(|(other, _)| other == path));
        path.map(|(path, file)| self.wanted(path, file, last_name(path)))
    }

    /// The files of a checkpoint: `FAMILY/STEP`, `FAMILY/latest` or `FAMILY/best`.
    fn checkpoint(&self, name: &str) -> Result<Option<Found>, Failure> {
        let families = checkpoints::of(&self.variables);
        let Some((path, version)) = name.rsplit_once('/') else { return Ok(None) };
        let Some(family) = families.get(path) else { return Ok(None) };
        let Some(checkpoint) = family.find(version) else {
            let versions = told(family);
            let id = &self.key.short_id;
            return Err(Failure::not_found(format!("{path} of {id} has no version {version:?}; it has {versions}")));
        };
        let step = checkpoint.step;
        let wanted = |(name, file): (&String, &File)| {
            let what = format!("{ARTIFACTS}{path}/{step}/{name}");
            self.wanted(&what, *file, name)
        };
        let folder = format!("{}-{step}", last_name(path));
        Ok(Some(Found::Several { files: checkpoint.files.iter().map(wanted).collect(), folder }))
    }

    /// The files below `name`, or below `artifacts/NAME`.
    fn below(&self, name: &str) -> Option<Found> {
        let candidates = [format!("{name}/"), format!("{ARTIFACTS}{name}/")];
        candidates.iter().find_map(|prefix| {
            let files = self.files().filter_map(|(path, file)| Some((path, file, path.strip_prefix(prefix.as_str())?)));
            let files: Vec<Wanted> = files.map(|(path, file, name)| self.wanted(path, file, name)).collect();
            let folder = last_name(name).to_owned();
            (!files.is_empty()).then_some(Found::Several { files, folder })
        })
    }

    /// That `name` is no file, with the nearest paths.
    fn nothing(&self, name: &str) -> Result<Found, Failure> {
        let path = match self.store.resolve(self.key, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // An artifact may be named without its namespace, and may then be near to what was meant.
                let with_namespace = self.store.resolve(self.key, &format!("{ARTIFACTS}{name}")).err();
                let is_near = |error: &neptune_store::Error| error.to_string().contains("did you mean");
                return Err(with_namespace.filter(|other| !is_near(&error) && is_near(other)).unwrap_or(error).into());
            }
            path => path?,
        };
        let kind = self.store.variable(self.key, &path)?.kind;
        Err(Failure::wrong(format!(
            "{path} is {kind}; only artifacts, checkpoints and images are files (`neptune show` and `neptune export` have \
             the rest)"
        )))
    }

    fn files(&self) -> impl Iterator<Item = (&str, File)> {
        self.variables.iter().filter_map(|variable| match &variable.value {
            VariableValue::Atom(AtomValue::File(file)) => Some((variable.path.as_str(), *file)),
            _ => None,
        })
    }

    fn wanted(&self, path: &str, file: File, name: &str) -> Wanted {
        Wanted {
            what: format!("{path} of {}", self.key.short_id),
            source: objects::file_of(self.folder, file.object),
            object: Some(file.object),
            name: name.to_owned(),
        }
    }
}

/// The versions of a family, in words.
fn told(family: &Family) -> String {
    const TOLD: usize = 10;
    let mut names: Vec<String> = family.versions.keys().rev().take(TOLD).map(ToString::to_string).collect();
    names.reverse();
    names.push(LATEST.to_owned());
    if family.best.is_some() {
        names.push(BEST.to_owned());
    }
    let more = family.versions.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {} before", number::count(more as u64)) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn last_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The ending of a file of an image format.
fn ending(format: &str) -> &'static str {
    const FORMATS: [&str; 10] = ["png", "gif", "webp", "bmp", "tiff", "heif", "ico", "jxl", "qoi", "svg"];
    match format {
        "jpeg" => "jpg",
        "pnm" => "pnm",
        _ => FORMATS.into_iter().find(|known| *known == format).unwrap_or("bin"),
    }
}
