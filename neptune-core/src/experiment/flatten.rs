//! Flattening: anything that serialises to a struct or a map becomes parameters with paths.
//!
//! No number changes on its way: one that an atom has no room for is kept as JSON, digit by digit.

use std::{collections::BTreeMap, fmt::Display};

use neptune_format::{AtomValue, VariablePath};
use serde::{
    Serialize, Serializer,
    ser::{self, Error as _},
};
use serde_json::Error as Unserialisable;

use crate::error::{Error, ErrorKind, Result};

/// The parameters in `params`, by path. Lists stay together, as JSON; so does what is null.
pub(super) fn parameters<T: Serialize + ?Sized>(params: &T) -> Result<Vec<(VariablePath, AtomValue)>> {
    let node = params
        .serialize(Nodes)
        .map_err(|error| Error::new(ErrorKind::Invalid, "the parameters cannot be serialised").because(error))?;
    if !matches!(node, Node::Fields(_)) {
        return Err(Error::new(ErrorKind::Invalid, "parameters are a struct or a map, so that each has a name"));
    }
    let mut flat = Vec::new();
    flatten("parameters", node, &mut flat)?;
    Ok(flat)
}

fn flatten(path: &str, node: Node, flat: &mut Vec<(VariablePath, AtomValue)>) -> Result<()> {
    match node {
        Node::Fields(fields) => {
            fields.into_iter().try_for_each(|(name, node)| flatten(&format!("{path}/{name}"), node, flat))
        }
        Node::Value(value) => {
            flat.push((VariablePath::new(path)?, value));
            Ok(())
        }
    }
}

/// What something serialises to.
enum Node {
    Fields(BTreeMap<String, Self>),
    Value(AtomValue),
}

impl Node {
    /// As it is, or as the content of a variant of an enum.
    fn within(self, variant: Option<&str>) -> Self {
        match variant {
            Some(variant) => Self::Fields(BTreeMap::from([(variant.to_owned(), self)])),
            None => self,
        }
    }

    fn json(text: impl Display) -> Self {
        Self::Value(AtomValue::Json(text.to_string()))
    }

    fn text(text: &str) -> Self {
        Self::Value(AtomValue::String(text.to_owned()))
    }

    fn whole<N: TryInto<i64> + Display + Copy>(number: N) -> Self {
        number.try_into().map_or_else(|_| Self::json(number), |number| Self::Value(AtomValue::Int(number)))
    }
}

/// Makes a [`Node`] of whatever is serialised.
struct Nodes;

macro_rules! whole {
    ($($name:ident($number:ty))*) => {$(
        fn $name(self, number: $number) -> Result<Node, Unserialisable> {
            Ok(Node::whole(number))
        }
    )*};
}

impl Serializer for Nodes {
    type Ok = Node;
    type Error = Unserialisable;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    whole! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_bool(self, value: bool) -> Result<Node, Unserialisable> {
        Ok(Node::Value(AtomValue::Bool(value)))
    }

    fn serialize_f32(self, number: f32) -> Result<Node, Unserialisable> {
        // By way of text, because that gives the short decimal that its author wrote: 0.1 and not 0.10000000149011612.
        let number = number.to_string().parse().unwrap_or_else(|_| f64::from(number));
        self.serialize_f64(number)
    }

    fn serialize_f64(self, number: f64) -> Result<Node, Unserialisable> {
        Ok(Node::Value(AtomValue::Float(number)))
    }

    fn serialize_char(self, character: char) -> Result<Node, Unserialisable> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<Node, Unserialisable> {
        Ok(Node::text(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Node, Unserialisable> {
        Ok(Node::json(serde_json::to_string(bytes)?))
    }

    fn serialize_none(self) -> Result<Node, Unserialisable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Unserialisable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Node, Unserialisable> {
        Ok(Node::json("null"))
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Node, Unserialisable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Node, Unserialisable> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Node, Unserialisable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Unserialisable> {
        Ok(value.serialize(self)?.within(Some(variant)))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<List, Unserialisable> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _length: usize) -> Result<List, Unserialisable> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<List, Unserialisable> {
        Ok(List::default())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<List, Unserialisable> {
        Ok(List { variant: Some(variant), ..List::default() })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Fields, Unserialisable> {
        Ok(Fields::default())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Fields, Unserialisable> {
        Ok(Fields::default())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Fields, Unserialisable> {
        Ok(Fields { variant: Some(variant), ..Fields::default() })
    }
}

/// A list that is serialised: the JSON text of each element.
#[derive(Default)]
struct List {
    elements: Vec<String>,
    variant: Option<&'static str>,
}

impl List {
    fn add<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Unserialisable> {
        self.elements.push(serde_json::to_string(element)?);
        Ok(())
    }

    fn done(self) -> Node {
        Node::json(format_args!("[{}]", self.elements.join(","))).within(self.variant)
    }
}

/// A struct or a map that is serialised.
#[derive(Default)]
struct Fields {
    named: BTreeMap<String, Node>,
    key: Option<String>,
    variant: Option<&'static str>,
}

impl Fields {
    fn add<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<(), Unserialisable> {
        self.named.insert(name, value.serialize(Nodes)?);
        Ok(())
    }

    fn done(self) -> Node {
        Node::Fields(self.named).within(self.variant)
    }
}

macro_rules! lists {
    ($($trait:ident::$add:ident)*) => {$(
        impl ser::$trait for List {
            type Ok = Node;
            type Error = Unserialisable;

            fn $add<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Unserialisable> {
                self.add(element)
            }

            fn end(self) -> Result<Node, Unserialisable> {
                Ok(self.done())
            }
        }
    )*};
}
lists! {
    SerializeSeq::serialize_element SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Fields {
            type Ok = Node;
            type Error = Unserialisable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unserialisable> {
                self.add(name.to_owned(), value)
            }

            fn end(self) -> Result<Node, Unserialisable> {
                Ok(self.done())
            }
        }
    )*};
}
structs! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Fields {
    type Ok = Node;
    type Error = Unserialisable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unserialisable> {
        // What JSON takes as a key: a text, or a number or a bool as its text.
        let text = serde_json::to_string(key)?;
        self.key = Some(match text.as_bytes() {
            [b'"', ..] => serde_json::from_str(&text)?,
            [b'-' | b'0'..=b'9' | b't' | b'f', ..] => text,
            _ => return Err(Unserialisable::custom("the key of a map is a text, a number or a bool")),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
        let key = self.key.take().ok_or_else(|| Unserialisable::custom("a value of a map has no key"))?;
        self.add(key, value)
    }

    fn end(self) -> Result<Node, Unserialisable> {
        Ok(self.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Config {
        rate: f32,
        layers: Vec<u32>,
        optimizer: Optimizer,
        warmup: Option<u32>,
    }

    #[derive(Serialize)]
    struct Optimizer {
        name: &'static str,
        nesterov: bool,
    }

    #[test]
    fn nested_fields_become_paths_and_floats_stay_short() {
        let config = Config {
            rate: 0.1,
            layers: vec![64, 32],
            optimizer: Optimizer { name: "sgd", nesterov: true },
            warmup: None,
        };
        let flat: Vec<(String, AtomValue)> =
            parameters(&config).unwrap().into_iter().map(|(path, value)| (path.to_string(), value)).collect();
        let expected = [
            ("parameters/layers", AtomValue::Json("[64,32]".into())),
            ("parameters/optimizer/name", AtomValue::String("sgd".into())),
            ("parameters/optimizer/nesterov", AtomValue::Bool(true)),
            ("parameters/rate", AtomValue::Float(0.1)),
            ("parameters/warmup", AtomValue::Json("null".into())),
        ];
        assert_eq!(flat, expected.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn no_number_changes_on_its_way() {
        #[derive(Serialize)]
        struct Numbers {
            seed: u64,
            small: u64,
            wide: u128,
            least: i128,
            clip: f32,
            floor: f64,
            unset: f64,
            tiny: f32,
        }
        let numbers = Numbers {
            seed: u64::MAX - 1,
            small: 7,
            wide: u128::MAX,
            least: i128::from(i64::MIN),
            clip: f32::INFINITY,
            floor: f64::NEG_INFINITY,
            unset: f64::NAN,
            tiny: 1e-7,
        };
        let flat: std::collections::BTreeMap<String, AtomValue> =
            parameters(&numbers).unwrap().into_iter().map(|(path, value)| (path.to_string(), value)).collect();
        let of = |name: &str| flat[&format!("parameters/{name}")].clone();
        assert_eq!(of("seed"), AtomValue::Json("18446744073709551614".into()));
        assert_eq!(of("wide"), AtomValue::Json(u128::MAX.to_string()));
        assert_eq!((of("small"), of("least")), (AtomValue::Int(7), AtomValue::Int(i64::MIN)));
        assert_eq!((of("clip"), of("floor")), (AtomValue::Float(f64::INFINITY), AtomValue::Float(f64::NEG_INFINITY)));
        assert!(of("unset").as_f64().unwrap().is_nan());
        assert_eq!(of("tiny"), AtomValue::Float(1e-7));
    }

    #[test]
    fn whatever_is_serialised_has_the_names_that_json_gives_it() {
        #[derive(Serialize)]
        enum Kind {
            Plain,
            Wrapped(f32),
            Pair(u8, f32),
            Named { rate: f32 },
        }
        #[derive(Serialize)]
        struct All {
            kinds: [Kind; 1],
            plain: Kind,
            wrapped: Kind,
            pair: Kind,
            named: Kind,
            by_number: std::collections::BTreeMap<i32, bool>,
            by_rate: Vec<(f32, char)>,
            some: Option<char>,
            unit: (),
            nothing: std::collections::BTreeMap<String, u8>,
        }
        let all = All {
            kinds: [Kind::Named { rate: 0.1 }],
            plain: Kind::Plain,
            wrapped: Kind::Wrapped(0.1),
            pair: Kind::Pair(1, 0.1),
            named: Kind::Named { rate: 0.1 },
            by_number: [(-3, true)].into(),
            by_rate: vec![(0.1, 'x')],
            some: Some('y'),
            unit: (),
            nothing: [].into(),
        };
        let flat: Vec<String> = parameters(&all)
            .unwrap()
            .into_iter()
            .map(|(path, value)| format!("{} {value:?}", path.as_str().trim_start_matches("parameters/")))
            .collect();
        let expected = [
            "by_number/-3 Bool(true)",
            r#"by_rate Json("[[0.1,\"x\"]]")"#,
            r#"kinds Json("[{\"Named\":{\"rate\":0.1}}]")"#,
            "named/Named/rate Float(0.1)",
            r#"pair/Pair Json("[1,0.1]")"#,
            r#"plain String("Plain")"#,
            r#"some String("y")"#,
            r#"unit Json("null")"#,
            "wrapped/Wrapped Float(0.1)",
        ];
        assert_eq!(flat, expected);
    }

    #[test]
    fn a_bare_value_and_an_empty_name_are_refused() {
        assert_eq!(parameters(&3).unwrap_err().kind(), ErrorKind::Invalid);
        let error = parameters(&std::collections::BTreeMap::from([("", 1)])).unwrap_err();
        assert!(error.to_string().contains("empty segment"), "{error}");
    }
}
