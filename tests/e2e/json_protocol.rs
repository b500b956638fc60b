//! The JSON protocol: its schema says what its reader says, and what was checked is what is imported.

use std::path::{Path, PathBuf};

use neptune_core::{
    ErrorKind, ExperimentState,
    import::{ImportError, JsonFile, SCHEMA},
};
use neptune_tests::Folder;
use serde_json::{Value, json};

/// Whether `document` is what `schema` says. Knows the keywords that our schema uses, and no others.
fn is_valid(schema: &Value, root: &Value, document: &Value) -> bool {
    let rules = schema.as_object().expect("a schema is an object");
    rules.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => {
            let pointer = rule.as_str().unwrap().strip_prefix('#').expect("a reference within the schema");
            is_valid(root.pointer(pointer).expect("what is referred to is there"), root, document)
        }
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| is_of_type(name, document)),
            name => is_of_type(name, document),
        },
        "anyOf" => rule.as_array().unwrap().iter().any(|schema| is_valid(schema, root, document)),
        "properties" => document.as_object().is_none_or(|fields| {
            let known = rule.as_object().unwrap();
            fields.iter().all(|(key, value)| known.get(key).is_none_or(|schema| is_valid(schema, root, value)))
        }),
        "additionalProperties" => document.as_object().is_none_or(|fields| {
            let known = schema.get("properties");
            let others = fields.iter().filter(|(key, _)| known.is_none_or(|known| known.get(key).is_none()));
            let mut others = others.map(|(_, value)| value);
            if *rule == Value::Bool(false) {
                return others.next().is_none();
            }
            others.all(|value| is_valid(rule, root, value))
        }),
        "required" => document
            .as_object()
            .is_none_or(|fields| rule.as_array().unwrap().iter().all(|key| fields.contains_key(key.as_str().unwrap()))),
        "items" => document.as_array().is_none_or(|items| items.iter().all(|item| is_valid(rule, root, item))),
        "minimum" => document.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => document.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "pattern" => {
            let group = |length: usize| format!("[0-9a-fA-F]{{{length}}}");
            assert_eq!(*rule, format!("^{}$", [8, 4, 4, 4, 12].map(group).join("-")));
            document.as_str().is_none_or(|text| {
                let lengths: Vec<usize> = text.split('-').map(str::len).collect();
                lengths == [8, 4, 4, 4, 12]
                    && text.chars().all(|character| character == '-' || character.is_ascii_hexdigit())
            })
        }
        "$schema" | "$id" | "title" | "description" | "format" | "$defs" => true,
        unknown => panic!("the schema uses {unknown}, which this test does not know"),
    })
}

fn is_of_type(name: &Value, document: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => document.is_object(),
        "array" => document.is_array(),
        "string" => document.is_string(),
        "number" => document.is_number(),
        "boolean" => document.is_boolean(),
        "null" => document.is_null(),
        other => panic!("an unknown type {other}"),
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/json")
}

fn read(document: &Value) -> Result<u64, ImportError> {
    JsonFile::new(examples().join("example.json")).check_bytes(document.to_string().as_bytes())
}

/// What a schema cannot say.
const BEYOND: [&str; 9] = [
    "FileNotFound",
    "outside of the folder",
    "the name of a file is empty",
    "cannot be logged as an image",
    "empty segment",
    "entries and `y` has",
    "already; say the `destination`",
    "another kind of channel",
    "lies deeper",
];

/// Whether the reader takes the document, but for what a schema cannot say.
fn is_read(document: &Value) -> bool {
    read(document).err().is_none_or(|error| {
        assert_eq!(error.more_faults(), 0, "one change makes few mistakes: {error}");
        error.faults().iter().all(|fault| BEYOND.iter().any(|beyond| fault.message.contains(beyond)))
    })
}

/// Every place in a document.
fn places(document: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    let children: Vec<(String, &Value)> = match document {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in children {
        places(value, &format!("{place}/{key}"), found);
    }
}

/// The example, with every way to write a channel in it.
fn everything() -> Value {
    let mut document: Value = serde_json::from_slice(&std::fs::read(examples().join("example.json")).unwrap()).unwrap();
    let fields = document.as_object_mut().unwrap();
    fields.insert("send_metric".into(), json!([{"name": "a", "y": 1, "x": [null]}, {"name": "b", "y": [1, null]}]));
    fields.insert("send_text".into(), json!([{"name": "t", "y": ["a", "b"], "timestamp": [1, null]}]));
    fields.insert("send_image".into(), json!([{"name": "i", "y": "chart.svg", "description": null}]));
    fields.insert("send_artifact".into(), json!("train.py"));
    document
}

#[test]
fn the_schema_and_the_reader_agree_on_documents_that_are_wrong_in_one_place() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let right = everything();
    read(&right).unwrap();
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(300_000_000_000_u64),
        json!("a"),
        json!("train.py"),
        json!(["a"]),
        json!([1]),
        json!([[1]]),
        json!([null, 2]),
        json!([]),
        json!({}),
        json!({"y": 1}),
        json!({"y": "a", "x": 1}),
        json!({"y": [1, 2], "x": [0, 1], "timestamp": [1, 2]}),
        json!({"name": "n", "y": 1}),
        json!([{"name": "n", "y": "a"}]),
        json!({"path": "chart.svg"}),
        json!({"path": 1, "destination": "a"}),
        json!({"y": "chart.svg", "image_name": ["a"]}),
    ];
    let mut found = Vec::new();
    places(&right, "", &mut found);
    let (mut taken, mut refused) = (0, 0);
    let mut compare = |document: &Value, what: &str| {
        let valid = is_valid(&schema, &schema, document);
        let read_so = is_read(document);
        assert_eq!(valid, read_so, "{what}: valid {valid}, read {read_so}: {:?}\n{document}", read(document));
        if valid { taken += 1 } else { refused += 1 }
    };
    for place in found {
        for other in &others {
            let mut document = right.clone();
            *document.pointer_mut(&place).unwrap() = other.clone();
            compare(&document, &place);
        }
        if right.pointer(&place).unwrap().is_object() {
            let mut document = right.clone();
            document.pointer_mut(&place).unwrap().as_object_mut().unwrap().insert("unheard".into(), json!(7));
            compare(&document, &place);
        }
        if let Some((parent, key)) = place.rsplit_once('/')
            && right.pointer(parent).is_some_and(Value::is_object)
        {
            let mut document = right.clone();
            document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&key.replace("~1", "/"));
            compare(&document, &place);
        }
    }
    assert!(taken > 300 && refused > 300, "{taken} were taken and {refused} refused");
}

#[test]
fn a_file_that_changed_since_it_was_checked_is_not_imported() {
    let folder = Folder::new();
    let session = folder.session();
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |loss: &str| std::fs::write(file.path(), format!(r#"{{"log_metric": {{"loss": [{loss}]}}}}"#)).unwrap();
    write("0.5");
    let checked = JsonFile::new(file.path()).check().unwrap();
    // As many entries, all of them right.
    write("0.25");
    let error = checked.import(&session, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("changed"), "{error}");
    let made = session.get("E2E-1").unwrap();
    assert_eq!(made.state().unwrap(), ExperimentState::Failed);
    assert!(made.logs().unwrap().is_empty());
    file.close().unwrap();
    let error = checked.import(&session, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
