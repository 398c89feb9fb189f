//! What `#[derive(Output)]` says of a type, and that serde agrees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use agently_core::schema::{Choice, Schema, SchemaErrorKind};
use agently_core::{FieldPath, Output};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Map, Value};

fn schema<T: Output>() -> Schema {
    let schema = T::schema().unwrap();
    // Whatever a derive says can be written down and read back.
    assert_eq!(Schema::from_value(&schema.to_value()).unwrap(), schema);
    schema
}

fn keys<T: Output>() -> Vec<String> {
    let schema = schema::<T>();
    let fields = schema.fields().iter();
    fields.map(|field| field.name().to_owned()).collect()
}

/// Every kind of value that a type of the standard library stands for.
#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Kinds {
    text: String,
    letter: char,
    whole: i64,
    small: u8,
    fraction: f32,
    flag: bool,
    anything: Value,
    boxed: Box<str>,
    list: Vec<Option<bool>>,
    queue: VecDeque<i32>,
    set: BTreeSet<String>,
    hashed: HashSet<u16>,
    map: BTreeMap<String, Vec<f64>>,
    open: Map<String, Value>,
    maybe: Option<HashMap<String, bool>>,
}

#[test]
fn the_prompt_shows_every_kind() {
    insta::assert_snapshot!("typed_kinds", schema::<Kinds>().to_prompt_text());
}

/// The first line
/// goes on here.
///
/// - one
/// - two
///
/// # For readers of the code
///
/// Not this.
#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Limited {
    /// A name
    #[output(min_len = 2, max_len = 40, pattern = "^[a-z]+$")]
    name: String,
    #[output(one_of("en", "de"), desc = "The language")]
    language: String,
    #[output(min = -1.5, max = 10)]
    score: f64,
    #[output(min = 1)]
    count: Option<u32>,
    #[output(min_items = 2, max_items = 2, each(not_empty, max_len = 1))]
    pair: Vec<String>,
    #[output(not_empty)]
    notes: BTreeMap<String, String>,
    level: Option<Level>,
}

/// How much it matters
#[derive(Deserialize, Output, PartialEq, Debug)]
#[output(crate = "agently_core")]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// Nobody would notice
    HardlyAtAll,
    Much,
    #[serde(skip)]
    Secret,
}

#[test]
fn the_prompt_shows_limits_and_docs() {
    insta::assert_snapshot!("typed_limits", schema::<Limited>().to_prompt_text());
}

#[test]
fn json_schema_says_the_same() {
    let schema = schema::<Limited>();
    insta::assert_snapshot!(
        "typed_json_schema",
        serde_json::to_string_pretty(&schema.to_json_schema()).unwrap()
    );
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Strict {
    level: Level,
    perhaps: Option<Level>,
    #[serde(default)]
    defaulted: String,
}

#[test]
fn strict_json_schema_allows_null_only_where_the_type_does() {
    let strict = schema::<Strict>().to_strict_json_schema().unwrap();
    let properties = &strict["properties"];
    assert_eq!(strict["required"], json!(["level", "perhaps", "defaulted"]));
    assert_eq!(
        properties["level"]["enum"],
        json!(["hardly-at-all", "much"])
    );
    assert_eq!(properties["perhaps"]["type"], json!(["string", "null"]));
    assert_eq!(
        properties["perhaps"]["enum"],
        json!(["hardly-at-all", "much", null])
    );
    assert_eq!(properties["defaulted"]["type"], "string");
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
#[serde(rename_all = "camelCase")]
struct Names {
    first_name: String,
    #[serde(rename = "Last Name")]
    last_name: String,
    #[serde(rename(deserialize = "mail", serialize = "e-mail"))]
    e_mail: String,
    r#type: String,
    #[serde(skip)]
    cached: Vec<std::time::Duration>,
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    job: Option<Job>,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Place {
    town: String,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Job {
    employer: String,
}

#[test]
fn names_are_those_that_serde_reads() {
    assert_eq!(
        keys::<Names>(),
        ["firstName", "Last Name", "mail", "type", "town", "employer"]
    );
    let required: Vec<String> = schema::<Names>().to_json_schema()["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(required, ["firstName", "Last Name", "mail", "type", "town"]);
    let paths = Names::paths();
    assert_eq!(paths.first_name().wildcard(), "firstName");
    assert_eq!(paths.r#type().wildcard(), "type");
    assert_eq!(paths.place().town().wildcard(), "town");
    assert_eq!(paths.job().employer().wildcard(), "employer");
}

/// Serde must find each of its fields under the key that the schema says.
#[track_caller]
fn serde_agrees<T: Output + DeserializeOwned>() {
    let filled: Map<String, Value> = keys::<T>().into_iter().map(|key| (key, json!(1))).collect();
    if let Err(error) = serde_json::from_value::<T>(Value::Object(filled.clone())) {
        panic!("{filled:?}: {error}");
    }
}

macro_rules! cases {
    ($($name:ident, $variants:ident: $case:literal;)*) => {$(
        #[derive(Deserialize, Output)]
        #[output(crate = "agently_core")]
        #[serde(rename_all = $case, deny_unknown_fields)]
        struct $name {
            a: i32,
            some_field: i32,
            http2_x_y: i32,
            _odd_one: i32,
        }

        #[derive(Deserialize, Output)]
        #[output(crate = "agently_core")]
        #[serde(rename_all = $case)]
        enum $variants {
            A,
            SomeVariant,
            HTTPError2,
        }
    )*

        #[test]
        fn every_case_is_serdes() {
            $(
                serde_agrees::<$name>();
                let choice = schema::<$variants>();
                let choices = &choice.limits().unwrap().one_of;
                assert_eq!(choices.len(), 3);
                for Choice { value, .. } in choices {
                    serde_json::from_value::<$variants>(json!(value)).unwrap_or_else(|error| {
                        panic!("{value}: {error}")
                    });
                }
            )*
        }
    };
}

cases! {
    Lower, LowerVariants: "lowercase";
    Upper, UpperVariants: "UPPERCASE";
    Pascal, PascalVariants: "PascalCase";
    Camel, CamelVariants: "camelCase";
    Snake, SnakeVariants: "snake_case";
    ScreamingSnake, ScreamingSnakeVariants: "SCREAMING_SNAKE_CASE";
    Kebab, KebabVariants: "kebab-case";
    ScreamingKebab, ScreamingKebabVariants: "SCREAMING-KEBAB-CASE";
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Page<T, const N: usize = 1>
where
    T: Clone,
{
    items: Vec<T>,
    next: Option<T>,
}

#[derive(Clone, Deserialize, Output)]
#[output(crate = "agently_core")]
struct Celsius(#[output(min = -273)] f64);

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
#[serde(try_from = "String")]
struct Upper1(String);

impl TryFrom<String> for Upper1 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.chars().all(char::is_uppercase) {
            Ok(Self(text))
        } else {
            Err("it must be in capitals")
        }
    }
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Delegating {
    code: Upper1,
    #[serde(deserialize_with = "seconds")]
    #[output(as = "u64", max = 60)]
    wait: std::time::Duration,
    mood: Mood,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
enum Mood {
    Good,
    #[serde(other)]
    Unclear,
}

fn seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<std::time::Duration, D::Error> {
    u64::deserialize(from).map(std::time::Duration::from_secs)
}

#[test]
fn generics_newtypes_and_conversions_have_the_shape_of_what_they_read() {
    let page = schema::<Page<Celsius>>();
    assert_eq!(
        page.to_value(),
        json!({
            "items": { "$type": [{ "$type": "float", "$min": -273 }], "$ensure": true },
            "next": { "$type": "float", "$ensure": true, "$min": -273, "$optional": true },
        })
    );
    assert_eq!(
        Page::<Celsius, 4>::paths().items().each().wildcard(),
        "items[*]"
    );
    assert_eq!(
        schema::<Delegating>().to_value(),
        json!({
            "code": ["str", "", true],
            "wait": { "$type": "int", "$ensure": true, "$max": 60 },
            "mood": [r#""Good" | another string"#, "", true],
        })
    );
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Outer {
    name: String,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Inner {
    name: String,
}

#[derive(Deserialize, Output)]
#[output(crate = "agently_core")]
struct Chain {
    next: Option<Box<Self>>,
}

#[test]
fn a_type_without_a_schema_says_where_and_why() {
    let fault = Outer::schema().unwrap_err();
    assert_eq!(
        (fault.kind(), fault.path()),
        (SchemaErrorKind::Name, "name")
    );
    assert_eq!(Chain::paths().next().next().wildcard(), "next.next");
    let fault = Chain::schema().unwrap_err();
    assert_eq!(
        (fault.kind(), fault.path()),
        (SchemaErrorKind::Recursion, "next")
    );
}

#[test]
fn limits_of_a_value_are_checked_when_they_are_read() {
    for (value, message) in [
        (
            json!({ "$type": "str", "$max_len": -1 }),
            "-1 is no value of \"$max_len\"; write a whole number from 0",
        ),
        (
            json!({ "$type": "str", "$min_len": 3, "$max_len": 2 }),
            "the smallest allowed, 3, is more than the greatest, 2",
        ),
        (
            json!({ "$type": "float", "$min": 0.5, "$max": 0.25 }),
            "the smallest allowed, 0.5, is more than the greatest, 0.25",
        ),
        (
            json!({ "$type": "str", "$one_of": "a" }),
            "\"a\" is no value of \"$one_of\"; write a list of texts, or of [text, \"what it means\"]",
        ),
        (
            json!({ "$type": "str", "$optional": "yes" }),
            "\"yes\" is no value of \"$optional\"; write true, false or \"not_null\"",
        ),
    ] {
        let fault = Schema::from_value(&json!({ "a": value })).unwrap_err();
        assert_eq!((fault.kind(), fault.path()), (SchemaErrorKind::Limit, "a"));
        assert_eq!(fault.message(), message);
    }
    let fault = Schema::from_value(&json!({ "$type": "str", "$maxlen": 1 })).unwrap_err();
    assert!(
        fault.message().contains("did you mean \"$max_len\"?"),
        "{fault}"
    );
    let fault = Schema::from_value(&json!({ "$type": "str", "$pattern": "(" })).unwrap_err();
    assert_eq!(fault.kind(), SchemaErrorKind::Limit);
    let fault = Schema::list(Schema::str("x"))
        .values(Schema::int("y"))
        .build();
    assert_eq!(fault.unwrap_err().kind(), SchemaErrorKind::Form);
}
