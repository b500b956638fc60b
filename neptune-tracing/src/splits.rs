//! Splits such as `train` and `valid`, by number, so that a point carries no string.

use std::sync::{Arc, PoisonError, RwLock};

use neptune_core::VariablePath;

/// How many splits there may be. Whoever has more has put something else there, such as a counter.
const MOST: usize = 256;

/// Every split that was seen. A number is its place here and one more; zero is no split.
#[derive(Debug, Default)]
pub(crate) struct Splits(RwLock<Vec<Arc<str>>>);

impl Splits {
    /// The number of a split; `Err` with the reason when it cannot be one.
    pub(crate) fn number(&self, name: &str) -> Result<u32, String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = place(&known, name) {
            return Ok(number);
        }
        drop(known);
        let path = VariablePath::new(name).map_err(|error| error.to_string())?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = place(&known, name) {
            return Ok(number);
        }
        if known.len() == MOST {
            return Err(format!("there are {MOST} splits already; a split is a part of the data, such as \"train\""));
        }
        known.push(path.as_str().into());
        place(&known, name).ok_or_else(|| "there are too many splits".to_owned())
    }

    /// `name` within the split of this number: `train/loss`. A name that begins with its split already stays as it is.
    pub(crate) fn within(&self, split: u32, name: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let split = usize::try_from(split).ok().and_then(|number| known.get(number.checked_sub(1)?));
        match split {
            Some(split) if !name.strip_prefix(&**split).is_some_and(|rest| rest.starts_with('/')) => {
                format!("{split}/{name}")
            }
            _ => name.to_owned(),
        }
    }
}

fn place(known: &[Arc<str>], name: &str) -> Option<u32> {
    let place = known.iter().position(|split| **split == *name)?;
    u32::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_stands_before_the_name_once() {
        let splits = Splits::default();
        let train = splits.number("train").unwrap();
        assert_eq!(splits.number("train").unwrap(), train);
        assert_ne!(splits.number("valid").unwrap(), train);
        assert_eq!(splits.within(train, "loss"), "train/loss");
        assert_eq!(splits.within(train, "train/loss"), "train/loss");
        assert_eq!(splits.within(train, "training"), "train/training");
        assert_eq!(splits.within(0, "loss"), "loss");
        assert!(splits.number("").is_err());
        for number in 0..300 {
            drop(splits.number(&format!("s{number}")));
        }
        assert!(splits.number("one more").is_err());
    }
}
