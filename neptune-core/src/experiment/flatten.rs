//! Flattening: anything that serialises to a map becomes parameters with paths.

use neptune_format::{AtomValue, VariablePath};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// The parameters in `params`, by path. Lists stay together, as JSON; so does what is null.
pub(super) fn parameters<T: Serialize + ?Sized>(params: &T) -> Result<Vec<(VariablePath, AtomValue)>> {
    // By way of text, because that gives an f32 the short decimal that its author wrote: 0.1 and not 0.10000000149011612.
    let value = serde_json::to_string(params)
        .and_then(|text| serde_json::from_str::<Value>(&text))
        .map_err(|error| Error::new(ErrorKind::Invalid, "the parameters cannot be serialised").because(error))?;
    if !value.is_object() {
        return Err(Error::new(ErrorKind::Invalid, "parameters are a struct or a map, so that each has a name"));
    }
    let mut flat = Vec::new();
    flatten("parameters", value, &mut flat)?;
    Ok(flat)
}

fn flatten(path: &str, value: Value, flat: &mut Vec<(VariablePath, AtomValue)>) -> Result<()> {
    let value = match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&format!("{path}/{name}"), value, flat)?;
            }
            return Ok(());
        }
        Value::Bool(value) => AtomValue::Bool(value),
        Value::String(text) => AtomValue::String(text),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => AtomValue::Int(whole),
            None => AtomValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        list_or_null => AtomValue::Json(list_or_null.to_string()),
    };
    flat.push((VariablePath::new(path)?, value));
    Ok(())
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
    fn a_bare_value_and_an_empty_name_are_refused() {
        assert_eq!(parameters(&3).unwrap_err().kind(), ErrorKind::Invalid);
        let error = parameters(&std::collections::BTreeMap::from([("", 1)])).unwrap_err();
        assert!(error.to_string().contains("empty segment"), "{error}");
    }
}
