//! How two experiments differ.

use neptune_store::read::Difference;

use super::StoredExperiment;
use crate::error::{Error, ErrorKind, Result};

impl StoredExperiment {
    /// How `other` differs from this experiment: in parameters, code, dependencies, data, environment and hardware, and from which
    /// step on in its series.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).without_code().open()?;
    /// # let params = |rate: f64| std::collections::BTreeMap::from([("rate", rate)]);
    /// let first = session.experiment().params(&params(0.1)).start()?;
    /// let second = session.experiment().params(&params(0.2)).start()?;
    /// let difference = first.stored()?.difference(&second.stored()?)?;
    /// assert_eq!(difference.groups[0].changes[0].name, "rate");
    /// assert_eq!(difference.series, []);
    /// # first.stop()?;
    /// # second.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Unsupported` when the two are kept in different folders; otherwise when the store cannot be read.
    pub fn difference(&self, other: &Self) -> Result<Difference> {
        if self.session().folder() != other.session().folder() {
            let message = format!("{self} and {other} are kept in different folders; they can be compared in one");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let (store, key) = self.open()?;
        Ok(store.difference(key, &other.key)?)
    }
}
