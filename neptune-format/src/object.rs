//! Objects: files that are kept under the name of their content, once however often they are logged.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of an object: the BLAKE3 hash of its content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId([u8; 32]);

/// What is not the name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of an object is 64 lower-case hexadecimal digits")]
pub struct ObjectIdError;

impl ObjectId {
    /// The id with these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The path of the object within a folder of objects: `ab/abcd...`.
    pub fn file_name(&self) -> String {
        let name = self.to_string();
        format!("{}/{name}", name.get(..2).unwrap_or_default())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = ObjectIdError;

    fn from_str(text: &str) -> Result<Self, ObjectIdError> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(ObjectIdError),
        };
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(ObjectIdError);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ObjectId {
    /// As text where people read it, as 32 bytes in a journal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// A file that was logged: what an atom of files holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct File {
    /// Its content.
    pub object: ObjectId,
    /// Its length in bytes.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_object_reads_back_and_nothing_else_does() {
        let id = ObjectId::from_bytes(std::array::from_fn(|place| u8::try_from(place * 8).unwrap()));
        let name = id.to_string();
        assert!(name.starts_with("0008101820"), "{name}");
        assert_eq!(name.parse(), Ok(id));
        assert_eq!(id.file_name(), format!("00/{name}"));
        for wrong in ["", &name[1..], &name.to_uppercase(), &format!("{name}0"), &name.replace('8', "g")] {
            assert_eq!(wrong.parse::<ObjectId>(), Err(ObjectIdError), "{wrong}");
        }
    }

    #[test]
    fn an_object_is_text_for_people_and_bytes_in_a_journal() {
        let file = File { object: ObjectId::from_bytes([0xab; 32]), size: 5 };
        let bytes = postcard::to_stdvec(&file).unwrap();
        assert_eq!(bytes.len(), 33);
        assert_eq!(postcard::from_bytes::<File>(&bytes).unwrap(), file);
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(json, format!("{{\"object\":\"{}\",\"size\":5}}", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<File>(&json).unwrap(), file);
    }
}
